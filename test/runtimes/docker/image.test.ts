import { expect, test } from 'vitest';
import { startsWrapper } from '../../../src/runtimes/docker/image.ts';

test.each([
  ['our entry', { Entrypoint: ['/worker/entry'] }, true],
  ['our entry behind an init', { Entrypoint: ['tini', '--', '/worker/entry'] }, true],
  ['the wrapper itself', { Entrypoint: ['node'], Cmd: ['/worker/wrapper.mjs'] }, true],
  ['a shell', { Cmd: ['bash'] }, false],
  ['an entry of its own', { Entrypoint: ['/docker-entrypoint.sh'], Cmd: ['redis-server'] }, false],
  ['nothing', {}, false],
])('an image that starts %s', (_, config, starts) => {
  expect(startsWrapper(config)).toBe(starts);
});
