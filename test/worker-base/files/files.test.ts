/** Files through the door of a body on this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ExecDoor, openExecDoor, readEvents } from '../exec/exec-door.ts';

/** A JSON answer. */
type Answer = { [field: string]: unknown; error?: { code: string; reason?: string } };

const PATIENCE = { timeout: 10_000, interval: 10 };
let door: ExecDoor;
let elsewhere: string;

beforeEach(async () => {
  door = await openExecDoor();
  elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
});
afterEach(() => {
  door.close();
  rmSync(elsewhere, { recursive: true, force: true });
});

const at = (name: string) => join(door.workspace, name);
const put = async (path: string, body: Buffer | string | Readable, query = '') => {
  // As the manager's connections are.
  const headers = { connection: 'keep-alive' };
  const response = await door.send('PUT', `/files/${path}${query}`, { body, headers });
  return { status: response.statusCode, body: (await json(response)) as Answer };
};
const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await door.send('GET', path, { headers });
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
};
const fault = async (method: string, path: string) => {
  const { status, body } = await door.ask(method, path);
  return [status, body.error?.code, body.error?.reason];
};

test('a file is written whole, read back, described and removed', async () => {
  const content = randomBytes(3 * 1024 ** 2 + 17);
  const written = await put('a/b/file.bin', content, '?mode=640');
  expect(written).toMatchObject({
    status: 201,
    body: { name: 'file.bin', path: 'a/b/file.bin', type: 'file', size: content.length, mode: '0640' },
  });
  expect(readFileSync(at('a/b/file.bin')).equals(content)).toBe(true);
  const read = await get('/files/a/b/file.bin');
  expect(read.body.equals(content)).toBe(true);
  expect(read.headers).toMatchObject({
    'content-length': String(content.length),
    'x-file-mode': '0640',
    'accept-ranges': 'bytes',
  });
  const head = await door.send('HEAD', '/files/a/b/file.bin');
  expect(head.headers).toMatchObject({ 'content-length': String(content.length), 'x-file-type': 'file' });
  expect((await door.ask('GET', '/files/a/b?stat')).body).toMatchObject({ type: 'directory', path: 'a/b' });
  expect((await get('/files/a/b/file.bin', { 'if-none-match': read.headers.etag ?? '' })).status).toBe(304);
  // A replaced file keeps its permissions.
  expect(await put('a/b/file.bin', 'new')).toMatchObject({ status: 200, body: { mode: '0640', size: 3 } });
  expect((await door.send('DELETE', '/files/a/b/file.bin')).statusCode).toBe(204);
  expect(existsSync(at('a/b/file.bin'))).toBe(false);
});

test('ranges', async () => {
  writeFileSync(at('digits'), '0123456789');
  const range = async (value: string) => {
    const { status, headers, body } = await get('/files/digits', { range: value });
    return [status, headers['content-range'], status === 416 ? '' : body.toString()];
  };
  expect(await range('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
  expect(await range('bytes=8-')).toEqual([206, 'bytes 8-9/10', '89']);
  expect(await range('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789']);
  expect(await range('bytes=5-500')).toEqual([206, 'bytes 5-9/10', '56789']);
  expect(await range('bytes=10-')).toEqual([416, 'bytes */10', '']);
  expect(await range('bytes=1-2,4-5')).toEqual([200, undefined, '0123456789']);
  writeFileSync(at('empty'), '');
  expect((await get('/files/empty')).body.length).toBe(0);
});

test('names are bytes: spaces, newlines, bytes that are not UTF-8, and 255 of them', async () => {
  const names = [
    'a%20b',
    'two%0Alines',
    '%ff%fe',
    '%E2%82%AC',
    'x'.repeat(255),
    '-rf',
    '%25',
    '%3Flist',
    'a%5Cb',
  ];
  for (const name of names) expect((await put(`odd/${name}`, name)).status).toBe(201);
  const { items } = (await door.ask('GET', '/files/odd?list')).body;
  expect(items).toHaveLength(names.length);
  for (const { path, size } of items) {
    const { body } = await get(`/files/${path}`);
    expect(body.length).toBe(size);
    expect(decodeURIComponent(path.slice(4).replaceAll(/%F[EF]/g, ''))).toBe(
      decodeURIComponent(body.toString().replaceAll(/%f[ef]/g, '')),
    );
  }
  expect(
    readdirSync(at('odd'), { encoding: 'buffer' }).some((name) => name.equals(Buffer.from([255, 254]))),
  ).toBe(true);
  expect(await fault('GET', `/files/${'x'.repeat(256)}`)).toEqual([400, 'invalid_command', 'invalid_path']);
  expect(await fault('GET', '/files/a%00b')).toEqual([400, 'invalid_command', 'invalid_path']);
  expect(await fault('GET', '/files/a%zz')).toEqual([400, 'invalid_command', 'invalid_path']);
  expect(await fault('POST', '/files/odd/%ff%fe?move_to=moved%fd')).toEqual([201, undefined, undefined]);
  expect(readFileSync(Buffer.concat([Buffer.from(at('moved')), Buffer.from([0xfd])])).toString()).toBe(
    '%ff%fe',
  );
});

test('nothing outside of the workspace is read, written, listed or removed', async () => {
  writeFileSync(join(elsewhere, 'secret'), 'secret');
  symlinkSync(elsewhere, at('out'));
  symlinkSync(join(elsewhere, 'secret'), at('leaf'));
  mkdirSync(at('in'));
  symlinkSync(`../../${elsewhere.split('/').at(-1)}`, at('in/relative'));
  symlinkSync('loop', at('loop'));
  const denied = [400, 'invalid_command', 'outside_workspace'];
  for (const path of [
    'out/secret',
    'leaf',
    'in/relative/secret',
    '../x',
    'in/../../x',
    '%2e%2e/x',
    'in/%2e%2e%2f%2e%2e%2fx',
    '/etc/passwd',
    `/${elsewhere}/secret`,
  ]) {
    expect(await fault('GET', `/files/${path}`), path).toEqual(denied);
    expect((await put(path, 'x')).body.error?.reason, path).toBe('outside_workspace');
    expect(await fault('POST', `/files/${path}/new?mkdir`), path).toEqual(denied);
    expect(await fault('GET', `/archive/${path}`), path).toEqual(denied);
    expect(await fault('GET', `/watch/${path}`), path).toEqual(denied);
  }
  expect(await fault('GET', '/files/out?list')).toEqual(denied);
  expect(await fault('DELETE', '/files/out/secret')).toEqual(denied);
  expect(await fault('POST', `/files/in?move_to=out/in`)).toEqual(denied);
  expect(await fault('GET', '/files/loop')).toEqual([409, 'conflict', 'symlink_loop']);
  expect(readdirSync(elsewhere)).toEqual(['secret']);
  // A link itself can be seen and removed.
  expect((await door.ask('GET', '/files/leaf?stat&follow=false')).body).toMatchObject({ type: 'symlink' });
  expect((await door.send('DELETE', '/files/out?recursive=true')).statusCode).toBe(204);
  expect(readFileSync(join(elsewhere, 'secret'), 'utf8')).toBe('secret');
});

test('links within the workspace are followed, and an absolute path is that of the workspace', async () => {
  mkdirSync(at('real'));
  symlinkSync('real', at('alias'));
  symlinkSync(at('real'), at('absolute'));
  symlinkSync('real/target', at('dangling'));
  expect((await put('alias/file', 'one')).body.path).toBe('real/file');
  expect((await get('/files/absolute/file')).body.toString()).toBe('one');
  expect((await get(`/files/${door.workspace}/real/file`)).body.toString()).toBe('one');
  expect((await put('dangling', 'two')).status).toBe(201);
  expect(readFileSync(at('real/target'), 'utf8')).toBe('two');
  expect(lstatSync(at('dangling')).isSymbolicLink()).toBe(true);
  expect((await get('/files/real/../real/./file')).body.toString()).toBe('one');
});

test('what is a folder or a pipe, is missing or is in the way is an error with its reason', async () => {
  mkdirSync(at('folder/inner'), { recursive: true });
  execFileSync('mkfifo', [at('pipe')]);
  writeFileSync(at('file'), '');
  expect(await fault('GET', '/files/missing')).toEqual([404, 'not_found', 'no_file']);
  expect(await fault('DELETE', '/files/missing')).toEqual([404, 'not_found', 'no_file']);
  expect(await fault('GET', '/files/folder')).toEqual([409, 'conflict', 'is_a_directory']);
  expect(await fault('GET', '/files/pipe')).toEqual([409, 'conflict', 'not_a_file']);
  expect((await put('pipe', 'x')).body.error?.reason).toBe('not_a_file');
  expect((await put('folder', 'x')).body.error?.reason).toBe('is_a_directory');
  expect((await put('', 'x')).body.error?.reason).toBe('is_a_directory');
  expect((await put('file/below', 'x')).body.error?.reason).toBe('not_a_directory');
  expect(await fault('GET', '/files/file?list')).toEqual([409, 'conflict', 'not_a_directory']);
  expect(await fault('DELETE', '/files/folder')).toEqual([409, 'conflict', 'not_empty']);
  expect(await fault('DELETE', '/files/')).toEqual([409, 'conflict', 'busy']);
  expect(await fault('POST', '/files/folder?move_to=folder/inner/x')).toEqual([
    409,
    'conflict',
    'invalid_move',
  ]);
  expect(await fault('POST', '/files/file?mkdir')).toEqual([409, 'conflict', 'exists']);
  expect(await fault('POST', '/files/folder?mkdir')).toEqual([200, undefined, undefined]);
  expect((await put('file', 'x', '?mode=4755')).status).toBe(400);
  expect((await door.send('DELETE', '/files/folder?recursive=true')).statusCode).toBe(204);
  expect(readdirSync(door.workspace).sort()).toEqual(['file', 'pipe']);
});

test('pages of a folder', async () => {
  for (let n = 0; n < 25; n += 1) writeFileSync(at(`f${String(n).padStart(2, '0')}`), '');
  const seen: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await door.ask('GET', `/files/?list&limit=10${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ name }: { name: string }) => name));
    if (body.next_cursor === null) break;
    cursor = body.next_cursor;
  }
  expect(seen).toEqual(readdirSync(door.workspace).sort());
});

test('an upload that is cut is never visible, and one that replaces a file leaves the old one', async () => {
  writeFileSync(at('kept'), 'old');
  for (const path of ['kept', 'new']) {
    const body = new PassThrough();
    body.write(randomBytes(1024 ** 2));
    const stop = new AbortController();
    const sent = door.send('PUT', `/files/${path}`, {
      body,
      signal: stop.signal,
      headers: { 'content-length': '5000000' },
    });
    await vi.waitFor(() => expect(drafts()).toHaveLength(1), PATIENCE);
    expect((await door.ask('GET', '/files/?list')).body.items).toHaveLength(1);
    stop.abort();
    await expect(sent).rejects.toThrow();
    await vi.waitFor(() => expect(drafts()).toEqual([]), PATIENCE);
  }
  expect(readdirSync(door.workspace)).toEqual(['kept']);
  expect(readFileSync(at('kept'), 'utf8')).toBe('old');
});
const drafts = () => readdirSync(door.workspace).filter((name) => name.endsWith('.part'));

test('a killed helper is replaced, and what it left is removed with the next write', async () => {
  const body = new PassThrough();
  body.write(randomBytes(1024));
  const sent = door.send('PUT', '/files/half', { body });
  await vi.waitFor(() => expect(drafts()).toHaveLength(1), PATIENCE);
  execFileSync('pkill', ['-9', '-P', String(process.pid), '-f', 'files/helper/main.ts']);
  const response = await sent;
  expect([response.statusCode, ((await json(response)) as Answer).error?.code]).toEqual([503, 'unavailable']);
  body.destroy();
  expect(drafts()).toHaveLength(1);
  expect((await put('other', 'x')).status).toBe(201);
  expect(readdirSync(door.workspace)).toEqual(['other']);
});

test('a file larger than the workspace may be is refused before and while it is sent', async () => {
  door.close();
  door = await openExecDoor({ workspace: { size: '1m' } });
  const before = await put('big', Buffer.alloc(2 * 1024 ** 2));
  expect([before.status, before.body.error?.code, before.body.error?.reason]).toEqual([
    429,
    'capacity',
    'workspace_full',
  ]);
  const endless = Readable.from(
    (function* () {
      for (let n = 0; n < 4096; n += 1) yield Buffer.alloc(65_536);
    })(),
  );
  const during = await put('big', endless);
  expect(during.body.error?.reason).toBe('workspace_full');
  expect((await put('small', Buffer.alloc(900 * 1024))).status).toBe(201);
  expect((await put('second', Buffer.alloc(900 * 1024))).body.error?.reason).toBe('workspace_full');
  expect(readdirSync(door.workspace)).toEqual(['small']);
});

test('a client that reads nothing holds no memory, and others are served', async () => {
  writeFileSync(at('big'), Buffer.alloc(64 * 1024 ** 2));
  const slow = await door.send('GET', '/files/big');
  for (let n = 0; n < 20; n += 1) expect((await put(`f${n}`, 'x')).status).toBe(201);
  slow.destroy();
  expect((await get('/files/big', { range: 'bytes=0-9' })).status).toBe(206);
});

test('changes are followed, also in new folders', async () => {
  mkdirSync(at('watched/deep'), { recursive: true });
  const stop = new AbortController();
  const response = await door.send('GET', '/watch/watched?recursive=true', { signal: stop.signal });
  const events: [string, string][] = [];
  const reading = (async () => {
    for await (const { event, data } of readEvents(response)) events.push([event, data.path]);
  })().catch(() => {});
  await vi.waitFor(() => expect(events).toEqual([['watching', 'watched']]), PATIENCE);
  writeFileSync(at('watched/deep/a b'), 'x');
  await vi.waitFor(() => expect(events).toContainEqual(['write', 'watched/deep/a%20b']), PATIENCE);
  mkdirSync(at('watched/new'));
  writeFileSync(at('watched/new/file'), 'x');
  await vi.waitFor(() => expect(events).toContainEqual(['create', 'watched/new/file']), PATIENCE);
  rmSync(at('watched/deep'), { recursive: true });
  await vi.waitFor(() => expect(events).toContainEqual(['remove', 'watched/deep']), PATIENCE);
  expect((await put('watched/uploaded', 'x')).status).toBe(201);
  await vi.waitFor(() => expect(events).toContainEqual(['create', 'watched/uploaded']), PATIENCE);
  expect(events.filter(([, path]) => path.includes('.part'))).toEqual([]);
  rmSync(at('watched'), { recursive: true });
  await reading;
  expect(events.at(-1)).toEqual(['remove', 'watched']);
  stop.abort();
});

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
  const out = join(elsewhere, 'out');
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
    const sent = await door.send('PUT', `/archive/in-${format}/below`, { body: packed });
    expect([sent.statusCode, await json(sent)]).toMatchObject([200, { bytes: expect.any(Number) }]);
    execFileSync('diff', ['-r', '--no-dereference', from, at(`in-${format}/below`)]);
  }
  expect(readlinkSync(at('in-pax/below/link'))).toBe('../../nowhere');
  const again = await door.send('PUT', '/archive/again', { body });
  expect(again.statusCode).toBe(200);
  expect((await get('/archive/tree/script.sh')).body.toString('latin1', 0, 9)).toBe('script.sh');
});

test('an archive cannot leave its folder', async () => {
  mkdirSync(at('target'));
  writeFileSync(at('precious'), 'precious');
  const stage = join(elsewhere, 'stage');
  mkdirSync(stage);
  writeFileSync(join(stage, 'evil'), 'evil');
  const tar = (...args: string[]) => execFileSync('tar', ['-cf', '-', '-P', '-C', stage, ...args]);
  const unpack = async (body: Buffer) => {
    const response = await door.send('PUT', '/archive/target', { body });
    const answer = (await json(response)) as Answer;
    return [response.statusCode, answer.error?.reason];
  };
  const refused = [400, 'invalid_archive'];
  expect(await unpack(tar('--transform=s,^,../,', 'evil'))).toEqual(refused);
  expect(await unpack(tar(`--transform=s,^,${elsewhere}/,`, 'evil'))).toEqual(refused);
  // A link out of the folder, and then a file through it.
  symlinkSync(elsewhere, join(stage, 'link'));
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
  expect(existsSync(join(elsewhere, 'evil'))).toBe(false);
  expect(readdirSync(door.workspace).sort()).toEqual(['precious', 'target']);
});

test('a new name takes the place of a link, and the link is not followed', async () => {
  writeFileSync(join(elsewhere, 'file'), 'safe');
  mkdirSync(at('target'));
  symlinkSync(join(elsewhere, 'file'), at('target/file'));
  const stage = join(elsewhere, 'stage');
  mkdirSync(stage);
  writeFileSync(join(stage, 'file'), 'new');
  const body = execFileSync('tar', ['-cf', '-', '-C', stage, 'file']);
  expect((await door.send('PUT', '/archive/target', { body })).statusCode).toBe(200);
  expect(readFileSync(join(elsewhere, 'file'), 'utf8')).toBe('safe');
  expect(readFileSync(at('target/file'), 'utf8')).toBe('new');
});

test('the end of the body ends the helper', async () => {
  await put('file', 'x');
  const running = () =>
    spawnSync('pgrep', ['-P', String(process.pid), '-f', 'files/helper/main.ts']).stdout.toString();
  expect(running()).not.toBe('');
  const stream = await door.send('GET', '/watch/');
  stream.on('error', () => {});
  door.end();
  await vi.waitFor(() => expect(stream.destroyed).toBe(true), PATIENCE);
  await vi.waitFor(() => expect(running()).toBe(''), PATIENCE);
});
