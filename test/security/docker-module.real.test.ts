/** A Docker daemon in a worker: the agent's own, without root, in a container that is not privileged. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { INTRUSIONS, PREPARE_MARK } from './escapes.ts';
import { type Subject, specOf, startSubject } from './subject.ts';

const SPEC = specOf({ modules: ['DOCKER'] });
/** As the image's entry does it, and then what stands for the wrapper. */
const ENTRY = `sed 's|^exec .*|exec "$@"|' /worker/entry > /tmp/entry && . /tmp/entry`;

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject(SPEC, undefined, ENTRY);
}, 400_000);
afterAll(() => subject?.remove());

test('docker run works in the worker, as the agent, from its first command on', async () => {
  const attempts = [
    'docker info --format "{{.SecurityOptions}} {{.Driver}}"',
    'tar -C / -c worker/confine | docker import - tiny >/dev/null && docker run --rm --network none tiny /worker/confine --probe',
    'docker run --rm -v /:/host tiny /worker/confine -- /host/bin/cat /host/etc/shadow',
  ];
  const { outcomes } = await subject.attempt({ landlock: true, prepare: PREPARE_MARK, attempts });
  expect(outcomes[0]).toMatchObject({ code: 0, output: expect.stringMatching(/rootless.* overlay2$/) });
  expect(outcomes[1]).toMatchObject({ code: 0, output: expect.stringContaining('seccomp=1') });
  // The nested root is the agent: the container's files are as closed to it as before.
  expect(outcomes[2]?.output).toMatch(/Permission denied|No such file/);
});
