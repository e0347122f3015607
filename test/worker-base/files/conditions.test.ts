/** Writes with conditions on the entity tag, through the door of a body on this machine. */
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { FileDoor, PATIENCE } from './file-door.ts';

const files = new FileDoor({ shared: true });
const { at, put, get } = files;

const tagOf = async (path: string) => (await get(`/files/${path}`)).headers.etag ?? '';
const refused = (status: number, code: string, reason?: string) => ({
  status,
  body: { error: { code, ...(reason && { reason }) } },
});
const send = async (method: string, path: string, tag: string) =>
  (await files.door.send(method, path, { headers: { 'if-match': tag } })).statusCode;

test('only the version of If-Match is replaced, moved and removed', async () => {
  const { body: first } = await put('file', 'one');
  expect(first.etag).toBe(await tagOf('file'));
  const { status, body: second } = await put('file', 'two', '', { 'if-match': String(first.etag) });
  expect([status, second.etag === first.etag]).toEqual([200, false]);
  expect(await put('file', 'three', '', { 'if-match': String(first.etag) })).toMatchObject(
    refused(412, 'conflict', 'changed'),
  );
  expect(await send('POST', '/files/file?move_to=moved', String(first.etag))).toBe(412);
  expect(await send('DELETE', '/files/file', String(first.etag))).toBe(412);
  expect(await send('GET', '/files/file', String(first.etag))).toBe(412);
  expect(readFileSync(at('file'), 'utf8')).toBe('two');
  expect(readdirSync(files.door.workspace)).toEqual(['file']);
  expect(await send('GET', '/files/file', `"other", ${second.etag}`)).toBe(200);
  expect(await send('POST', '/files/file?move_to=moved', String(second.etag))).toBe(201);
  expect(await send('DELETE', '/files/moved', await tagOf('moved'))).toBe(204);
});

test('a change that keeps size and time of modification changes the tag', async () => {
  writeFileSync(at('file'), 'one');
  const tag = await tagOf('file');
  const { atime, mtime } = statSync(at('file'));
  await vi.waitFor(async () => {
    writeFileSync(at('file'), 'two');
    utimesSync(at('file'), atime, mtime);
    expect(await tagOf('file')).not.toBe(tag);
  }, PATIENCE);
  expect(await put('file', 'x', '', { 'if-match': tag })).toMatchObject(refused(412, 'conflict', 'changed'));
});

test('what If-Match requires must exist, and nothing is created for it', async () => {
  for (const path of ['missing', 'no/folder'])
    expect(await put(path, 'x', '', { 'if-match': '*' }), path).toMatchObject(
      refused(412, 'conflict', 'no_file'),
    );
  expect(readdirSync(files.door.workspace)).toEqual([]);
  await put('file', 'x');
  expect(await put('file', 'y', '', { 'if-match': '*' })).toMatchObject({ status: 200 });
});

test('If-None-Match: * replaces nothing', async () => {
  const isNew = { 'if-none-match': '*' };
  expect(await put('a/file', 'one', '', isNew)).toMatchObject({ status: 201, body: { size: 3 } });
  expect(await put('a/file', 'two', '', isNew)).toMatchObject(refused(412, 'conflict', 'exists'));
  expect(readFileSync(at('a/file'), 'utf8')).toBe('one');
  expect(readdirSync(at('a'))).toEqual(['file']);
  expect(statSync(at('a/file')).nlink).toBe(1);
  const tag = await tagOf('a/file');
  expect(await put('a/file', 'two', '', { 'if-none-match': `W/${tag}` })).toMatchObject(
    refused(412, 'conflict', 'exists'),
  );
  expect(await put('a/file', 'two', '', { 'if-none-match': '"other"' })).toMatchObject({ status: 200 });
});

test('a folder can have to be new, and an archive has no conditions', async () => {
  const make = async () =>
    (await files.door.send('POST', '/files/a/b?mkdir', { headers: { 'if-none-match': '*' } })).statusCode;
  expect([await make(), await make()]).toEqual([201, 412]);
  const headers = { 'if-match': '*', connection: 'keep-alive' };
  const response = await files.door.send('PUT', '/archive/a', { body: Buffer.alloc(1024), headers });
  expect(response.statusCode).toBe(422);
});

test('a file that the agent creates during an upload is not replaced', async () => {
  const body = new PassThrough();
  body.write('part');
  const sent = put('file', body, '', { 'if-none-match': '*' });
  await vi.waitFor(() => expect(readdirSync(files.door.workspace)).toHaveLength(1), PATIENCE);
  writeFileSync(at('file'), 'by the agent');
  body.end('rest');
  expect(await sent).toMatchObject(refused(412, 'conflict', 'exists'));
  expect(readFileSync(at('file'), 'utf8')).toBe('by the agent');
  expect(readdirSync(files.door.workspace)).toEqual(['file']);
});

test('of many writers with one condition, one writes', async () => {
  const isNew = { 'if-none-match': '*' };
  const numbers = Array.from({ length: 20 }, (_, n) => String(n));
  const first = await Promise.all(numbers.map((n) => put('file', n, '', isNew)));
  expect(first.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(412)]);
  const tag = await tagOf('file');
  const second = await Promise.all(numbers.map((n) => put('file', n, '', { 'if-match': tag })));
  expect(second.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
  const winner = second.findIndex(({ status }) => status === 200);
  expect(readFileSync(at('file'), 'utf8')).toBe(numbers[winner]);
});

test.each(['unquoted', '"a" "b"', '', '"a', '*, "a"', '"a\u00e9"x'])(
  'the tag %s is refused, and not ignored, by a change',
  async (tag) => {
    expect(await put('file', 'x', '', { 'if-match': tag })).toMatchObject(refused(400, 'invalid_command'));
    expect(await put('file', 'x', '', { 'if-none-match': tag })).toMatchObject(
      refused(400, 'invalid_command'),
    );
    expect(existsSync(at('file'))).toBe(false);
    writeFileSync(at('file'), 'x');
    expect((await get('/files/file', { 'if-none-match': tag })).status).toBe(200);
  },
);

test.each(['*', 'TAG', 'W/TAG', '"other", TAG'])('a client that has %s gets no content', async (tags) => {
  writeFileSync(at('file'), 'x');
  const tag = tags.replace('TAG', await tagOf('file'));
  expect((await get('/files/file', { 'if-none-match': tag })).status).toBe(304);
});
