/** Folders of a body as tar archives. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { decodeTarHeader } from '../../../worker-base/archive/tar-header.ts';
import { tarOf } from '../../support/tar.ts';
import { type Answer, FileDoor } from './file-door.ts';

const files = new FileDoor({ shared: true });
const { at, get } = files;

test('a folder comes out and goes in as a tar archive, as tar(1) understands it', async () => {
  mkdirSync(at('tree/deep'), { recursive: true });
  const long = `${'d'.repeat(200)}`;
  mkdirSync(at(`tree/${long}`));
  writeFileSync(at(`tree/${long}/${'f'.repeat(255)}`), 'long');
  writeFileSync(at('tree/script.sh'), '#!/bin/sh\n');
  chmodSync(at('tree/script.sh'), 0o755);
  writeFileSync(at('tree/big'), randomBytes(700_000));
  writeFileSync(Buffer.concat([Buffer.from(at('tree/deep/')), Buffer.from([0xff, 0x0a])]), 'odd');
  symlinkSync('../../nowhere', at('tree/link'));
  execFileSync('mkfifo', [at('tree/pipe')]);
  const { status, body } = await get('/archive/tree');
  expect(status).toBe(200);
  const out = join(files.elsewhere, 'out');
  mkdirSync(out);
  execFileSync('tar', ['-xf', '-', '-C', out], { input: body });
  rmSync(at('tree/pipe'));
  execFileSync('diff', ['-r', '--no-dereference', at('tree'), out]);
  expect(statSync(join(out, 'script.sh')).mode & 0o777).toBe(0o755);
  for (const format of ['gnu', 'pax', 'ustar']) {
    const from = format === 'ustar' ? join(out, 'deep') : out;
    const packed = execFileSync('tar', [`--format=${format}`, '-cf', '-', '-C', from, '.'], {
      maxBuffer: 2 ** 24,
    });
    const sent = await files.door.send('PUT', `/archive/in-${format}/below`, { body: packed });
    expect([sent.statusCode, await json(sent)]).toMatchObject([200, { bytes: expect.any(Number) }]);
    execFileSync('diff', ['-r', '--no-dereference', from, at(`in-${format}/below`)]);
  }
  expect(readlinkSync(at('in-pax/below/link'))).toBe('../../nowhere');
  const again = await files.door.send('PUT', '/archive/again', { body });
  expect(again.statusCode).toBe(200);
  expect((await get('/archive/tree/script.sh')).body.toString('latin1', 0, 9)).toBe('script.sh');
});

test('an archive cannot leave its folder', async () => {
  mkdirSync(at('target'));
  writeFileSync(at('precious'), 'precious');
  const stage = join(files.elsewhere, 'stage');
  mkdirSync(stage);
  writeFileSync(join(stage, 'evil'), 'evil');
  const tar = (...args: string[]) => execFileSync('tar', ['-cf', '-', '-P', '-C', stage, ...args]);
  const unpack = async (body: Buffer) => {
    const response = await files.door.send('PUT', '/archive/target', { body });
    const answer = (await json(response)) as Answer;
    return [response.statusCode, answer.error?.reason];
  };
  const refused = [400, 'invalid_archive'];
  expect(await unpack(tar('--transform=s,^,../,', 'evil'))).toEqual(refused);
  expect(await unpack(tar(`--transform=s,^,${files.elsewhere}/,`, 'evil'))).toEqual(refused);
  // A link out of the folder, and then a file through it.
  symlinkSync(files.elsewhere, join(stage, 'link'));
  expect(
    await unpack(Buffer.concat([tar('link').subarray(0, 512), tar('--transform=s,^,link/,', 'evil')])),
  ).toEqual([409, 'invalid_archive']);
  symlinkSync('..', at('target/up'));
  expect(await unpack(tar('--transform=s,^,up/,', 'evil'))).toEqual([409, 'invalid_archive']);
  // A hard link to a file outside, by its name and through a link.
  writeFileSync(join(stage, 'one'), 'x');
  execFileSync('ln', [join(stage, 'one'), join(stage, 'two')]);
  const hard = (target: string) => tar(`--transform=flags=h;s,^one,${target},`, 'one', 'two');
  expect(await unpack(hard('../precious'))).toEqual(refused);
  expect((await unpack(hard('up/precious')))[0]).toBeGreaterThanOrEqual(400);
  execFileSync('mkfifo', [join(stage, 'pipe')]);
  expect(await unpack(tar('pipe'))).toEqual(refused);
  writeFileSync(join(stage, 'suid'), '');
  chmodSync(join(stage, 'suid'), 0o6755);
  expect(await unpack(tar('suid'))).toEqual([200, undefined]);
  expect(statSync(at('target/suid')).mode & 0o7777).toBe(0o755);
  expect(await unpack(randomBytes(2048))).toEqual(refused);
  expect(await unpack(tar('evil').subarray(0, 600))).toEqual(refused);
  expect(readFileSync(at('precious'), 'utf8')).toBe('precious');
  expect(existsSync(join(files.elsewhere, 'evil'))).toBe(false);
  expect(readdirSync(files.door.workspace).sort()).toEqual(['precious', 'target']);
});

test.each([
  ['a part of a byte', '12 size=1.5\n'],
  ['a negative size', '11 size=-5\n'],
  ['an endless size', '17 size=Infinity\n'],
  ['a time that is none', '13 mtime=1e9\n'],
  ['no end of a record', '11 path=abc!'],
])('an archive with %s in its pax records is refused', async (_name, record) => {
  const pax = tarOf({ pax: record }).subarray(0, 1024);
  pax.write('x', 156, 'latin1');
  const sum = pax
    .subarray(0, 512)
    .fill(' ', 148, 156)
    .reduce((total, byte) => total + byte, 0);
  pax.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const body = Buffer.concat([pax, tarOf({ file: 'content' })]);
  const sent = await files.door.send('PUT', '/archive/in', { body });
  expect([sent.statusCode, await json(sent)]).toMatchObject([400, { error: { reason: 'invalid_archive' } }]);
});

test('a size below zero is damage', () => {
  const header = tarOf({ file: '' }).subarray(0, 512).fill(0xff, 124, 136).fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  expect(() => decodeTarHeader(header)).toThrow('negative size');
});

test('a new name takes the place of a link, and the link is not followed', async () => {
  writeFileSync(join(files.elsewhere, 'file'), 'safe');
  mkdirSync(at('target'));
  symlinkSync(join(files.elsewhere, 'file'), at('target/file'));
  const stage = join(files.elsewhere, 'stage');
  mkdirSync(stage);
  writeFileSync(join(stage, 'file'), 'new');
  const body = execFileSync('tar', ['-cf', '-', '-C', stage, 'file']);
  expect((await files.door.send('PUT', '/archive/target', { body })).statusCode).toBe(200);
  expect(readFileSync(join(files.elsewhere, 'file'), 'utf8')).toBe('safe');
  expect(readFileSync(at('target/file'), 'utf8')).toBe('new');
});

test('a deep folder is packed, unpacked and removed', async () => {
  const depth = 700;
  const deepest = join(at('top'), ...Array<string>(depth).fill('d'));
  mkdirSync(deepest, { recursive: true });
  writeFileSync(join(deepest, 'file'), 'x');
  const { status, body } = await get('/archive/top');
  expect(status).toBe(200);
  expect(
    execFileSync('tar', ['-tf', '-'], { input: body }).toString().split('\n').filter(Boolean),
  ).toHaveLength(depth + 1);
  const sent = await files.door.send('PUT', '/archive/copy', { body });
  expect([sent.statusCode, await json(sent)]).toMatchObject([200, { files: 1 }]);
  execFileSync('diff', ['-r', 'top', 'copy'], { cwd: files.door.workspace });
  for (const name of ['top', 'copy'])
    expect((await files.door.send('DELETE', `/files/${name}?recursive=true`)).statusCode).toBe(204);
  expect(readdirSync(files.door.workspace)).toEqual([]);
}, 60_000);
