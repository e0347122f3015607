/** What goes wrong while files are accessed: cut connections, killed helpers, full workspaces, slow clients. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { readEvents } from '../exec/exec-door.ts';
import { type Answer, FileDoor, PATIENCE } from './file-door.ts';

const files = new FileDoor();
const { at, put, get } = files;
const BIG_BYTES = 32 * 1024 ** 2;

test('an upload that is cut is never visible, and one that replaces a file leaves the old one', async () => {
  writeFileSync(at('kept'), 'old');
  for (const path of ['kept', 'new']) {
    const body = new PassThrough();
    body.write(randomBytes(1024 ** 2));
    const stop = new AbortController();
    const sent = files.door.send('PUT', `/files/${path}`, {
      body,
      signal: stop.signal,
      headers: { 'content-length': '5000000' },
    });
    await vi.waitFor(() => expect(drafts()).toHaveLength(1), PATIENCE);
    expect((await files.door.ask('GET', '/files/?list')).body.items).toHaveLength(1);
    stop.abort();
    await expect(sent).rejects.toThrow();
    await vi.waitFor(() => expect(drafts()).toEqual([]), PATIENCE);
  }
  expect(readdirSync(files.door.workspace)).toEqual(['kept']);
  expect(readFileSync(at('kept'), 'utf8')).toBe('old');
});
const drafts = () => readdirSync(files.door.workspace).filter((name) => name.endsWith('.part'));

test('a killed helper is replaced, and what it left is removed with the next write', async () => {
  const body = new PassThrough();
  body.write(randomBytes(1024));
  const sent = files.door.send('PUT', '/files/half', { body });
  await vi.waitFor(() => expect(drafts()).toHaveLength(1), PATIENCE);
  execFileSync('pkill', ['-9', '-P', String(process.pid), '-f', 'files/helper/main.ts']);
  const response = await sent;
  expect([response.statusCode, ((await json(response)) as Answer).error?.code]).toEqual([503, 'unavailable']);
  body.destroy();
  expect(drafts()).toHaveLength(1);
  expect((await put('other', 'x')).status).toBe(201);
  expect(readdirSync(files.door.workspace)).toEqual(['other']);
});

test('a file larger than the workspace may be is refused before and while it is sent', async () => {
  await files.open({ workspace: { size: '1m' } });
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
  expect(readdirSync(files.door.workspace)).toEqual(['small']);
});

test('a client that reads nothing holds no memory, and others are served', async () => {
  writeFileSync(at('big'), Buffer.alloc(64 * 1024 ** 2));
  const slow = await files.door.send('GET', '/files/big');
  for (let n = 0; n < 20; n += 1) expect((await put(`f${n}`, 'x')).status).toBe(201);
  slow.destroy();
  expect((await get('/files/big', { range: 'bytes=0-9' })).status).toBe(206);
});

test('the end of the body ends the helper', async () => {
  await put('file', 'x');
  const running = () =>
    spawnSync('pgrep', ['-P', String(process.pid), '-f', 'files/helper/main.ts']).stdout.toString();
  expect(running()).not.toBe('');
  const stream = await files.door.send('GET', '/watch/');
  stream.on('error', () => {});
  files.door.end();
  await vi.waitFor(() => expect(stream.destroyed).toBe(true), PATIENCE);
  await vi.waitFor(() => expect(running()).toBe(''), PATIENCE);
});

test('uploads of one file at once each leave a whole file, and many requests at once are served', async () => {
  const contents = Array.from({ length: 20 }, (_, n) => Buffer.alloc(200_000, n));
  await Promise.all(contents.map((content) => put('same', content)));
  const result = readFileSync(at('same'));
  expect(contents.some((content) => content.equals(result))).toBe(true);
  const many = await Promise.all(Array.from({ length: 200 }, (_, n) => put(`many/${n}`, `file ${n}`)));
  expect(new Set(many.map(({ status }) => status))).toEqual(new Set([201]));
  expect(readdirSync(at('many'))).toHaveLength(200);
});

test('a watch that a client does not read ends with an overflow, and not with lost changes', async () => {
  mkdirSync(at('busy'));
  const stop = new AbortController();
  const response = await files.door.send('GET', '/watch/busy', { signal: stop.signal });
  const name = 'n'.repeat(200);
  for (let n = 0; n < 20_000; n += 1) writeFileSync(at(`busy/${name}${n}`), '');
  // Unread events have filled every buffer by now.
  expect((await files.door.ask('GET', '/files/busy?list&limit=1')).status).toBe(200);
  const seen: string[] = [];
  for await (const { event } of readEvents(response)) {
    seen.push(event);
    if (event === 'overflow') break;
  }
  expect(seen[0]).toBe('watching');
  expect(seen.at(-1)).toBe('overflow');
  stop.abort();
}, 60_000);

test('a workspace that was removed and created again is used', async () => {
  await put('old', 'x');
  rmSync(files.door.workspace, { recursive: true });
  mkdirSync(files.door.workspace);
  expect((await put('new', 'x')).status).toBe(201);
  expect(readdirSync(files.door.workspace)).toEqual(['new']);
});

test('a download whose helper is killed is cut, and the next one is whole', async () => {
  // More than what the buffers on the way hold.
  writeFileSync(at('big'), Buffer.alloc(BIG_BYTES));
  const response = await files.door.send('GET', '/files/big');
  execFileSync('pkill', ['-9', '-P', String(process.pid), '-f', 'files/helper/main.ts']);
  await expect(buffer(response)).rejects.toThrow();
  expect((await get('/files/big')).body.length).toBe(BIG_BYTES);
});
