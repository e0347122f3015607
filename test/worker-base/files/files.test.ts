/** Files through the door of a body on this machine. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readEvents } from '../exec/exec-door.ts';
import { FileDoor, PATIENCE } from './file-door.ts';

const files = new FileDoor({ shared: true });
const { at, put, get, fault } = files;

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
  const head = await files.door.send('HEAD', '/files/a/b/file.bin');
  expect(head.headers).toMatchObject({ 'content-length': String(content.length), 'x-file-type': 'file' });
  expect((await files.door.ask('GET', '/files/a/b?stat')).body).toMatchObject({
    type: 'directory',
    path: 'a/b',
  });
  expect((await get('/files/a/b/file.bin', { 'if-none-match': read.headers.etag ?? '' })).status).toBe(304);
  // A replaced file keeps its permissions.
  expect(await put('a/b/file.bin', 'new')).toMatchObject({ status: 200, body: { mode: '0640', size: 3 } });
  expect((await files.door.send('DELETE', '/files/a/b/file.bin')).statusCode).toBe(204);
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
  const { items } = (await files.door.ask('GET', '/files/odd?list')).body;
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
  writeFileSync(join(files.elsewhere, 'secret'), 'secret');
  symlinkSync(files.elsewhere, at('out'));
  symlinkSync(join(files.elsewhere, 'secret'), at('leaf'));
  mkdirSync(at('in'));
  symlinkSync(`../../${files.elsewhere.split('/').at(-1)}`, at('in/relative'));
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
    `/${files.elsewhere}/secret`,
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
  expect(readdirSync(files.elsewhere)).toEqual(['secret']);
  // A link itself can be seen and removed.
  expect((await files.door.ask('GET', '/files/leaf?stat&follow=false')).body).toMatchObject({
    type: 'symlink',
  });
  expect((await files.door.send('DELETE', '/files/out?recursive=true')).statusCode).toBe(204);
  expect(readFileSync(join(files.elsewhere, 'secret'), 'utf8')).toBe('secret');
});

test('links within the workspace are followed, and an absolute path is that of the workspace', async () => {
  mkdirSync(at('real'));
  symlinkSync('real', at('alias'));
  symlinkSync(at('real'), at('absolute'));
  symlinkSync('real/target', at('dangling'));
  expect((await put('alias/file', 'one')).body.path).toBe('real/file');
  expect((await get('/files/absolute/file')).body.toString()).toBe('one');
  expect((await get(`/files/${files.door.workspace}/real/file`)).body.toString()).toBe('one');
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
  expect((await files.door.send('DELETE', '/files/folder?recursive=true')).statusCode).toBe(204);
  expect(readdirSync(files.door.workspace).sort()).toEqual(['file', 'pipe']);
});

test('pages of a folder', async () => {
  for (let n = 0; n < 25; n += 1) writeFileSync(at(`f${String(n).padStart(2, '0')}`), '');
  const seen: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await files.door.ask('GET', `/files/?list&limit=10${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ name }: { name: string }) => name));
    if (body.next_cursor === null) break;
    cursor = body.next_cursor;
  }
  expect(seen).toEqual(readdirSync(files.door.workspace).sort());
});

test('changes are followed, also in new folders', async () => {
  mkdirSync(at('watched/deep'), { recursive: true });
  const stop = new AbortController();
  const response = await files.door.send('GET', '/watch/watched?recursive=true', { signal: stop.signal });
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

test('a transfer shows that the worker is in use, and a look at its files does not', async () => {
  await put('file', 'x');
  const before = files.door.touched();
  expect(before).toBeGreaterThan(0);
  await files.door.ask('GET', '/files/?list');
  await files.door.ask('GET', '/files/file?stat');
  await files.door.send('HEAD', '/files/file');
  expect(files.door.touched()).toBe(before);
  await get('/files/file');
  expect(files.door.touched()).toBe(before + 1);
});
