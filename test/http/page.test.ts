/** The files of the page: which are sent, to whom, how compressed, and under which policy. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createApi } from '../../src/http/api.ts';
import { createPageRoutes } from '../../src/http/routes/page.ts';

const SCRIPT = 'console.log("the page");\n'.repeat(50);

async function openPage(files: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'wm-page-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const app = await createApi({
    host: '127.0.0.1',
    version: 'test',
    token: 'a-token-of-the-test',
    plugins: [createPageRoutes(pathToFileURL(`${folder}/`))],
    log: { error() {}, info() {}, debug() {} },
  });
  onTestFinished(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });
  return (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ method, url, headers: { host: '127.0.0.1', ...headers } });
}

const FILES = { 'index.html': '<!doctype html>', 'main-ABCD2345.js': SCRIPT };

test('the files need no token, and allow nothing inline or from elsewhere', async () => {
  const ask = await openPage(FILES);
  const index = await ask('/');
  expect([index.statusCode, index.body]).toEqual([200, '<!doctype html>']);
  expect(index.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  const policy = String(index.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
  expect((await ask('/', {}, 'HEAD')).statusCode).toBe(200);
});

test('a file with a hash in its name is kept for ever, and each encoding has the same content', async () => {
  const ask = await openPage(FILES);
  const read = (encoding: string) => ask('/page/main-ABCD2345.js', { 'accept-encoding': encoding });
  const plain = await read('identity');
  expect(plain.headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'text/javascript; charset=utf-8',
    vary: 'accept-encoding',
  });
  expect(plain.headers['content-encoding']).toBeUndefined();
  const brotli = await read('gzip, deflate, br, zstd');
  expect(brotli.headers['content-encoding']).toBe('br');
  const gzip = await read('gzip, br;q=0');
  expect(gzip.headers['content-encoding']).toBe('gzip');
  for (const body of [plain.rawPayload, brotliDecompressSync(brotli.rawPayload), gunzipSync(gzip.rawPayload)])
    expect(body.toString()).toBe(SCRIPT);
  const again = await ask('/', { 'if-none-match': String((await ask('/')).headers.etag) });
  expect([again.statusCode, again.body]).toEqual([304, '']);
});

test('a file that is not part of the page is not found, nor is the page without a build', async () => {
  const ask = await openPage(FILES);
  for (const path of ['/page/other.js', '/page/..%2fpackage.json', '/page/'])
    expect((await ask(path)).statusCode, path).toBe(404);
  const empty = await openPage({});
  expect((await empty('/')).json()).toMatchObject({
    error: { code: 'not_found', message: expect.stringContaining('npm run build') },
  });
});
