/** The files of workers through a real manager, in each runtime. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import type { RuntimeUnderTest } from '../faults/world.ts';
import { readEvents } from '../worker-base/exec/exec-door.ts';
import { openFiles, tar } from './files-api.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
/** Small files of one archive. */
const MANY = 100_000;
const LARGE_BYTES = 300 * 1024 ** 2;

/** Registers the suite for one runtime. */
export function filesSuite(name: RuntimeUnderTest): void {
  describe(`the files of a worker over HTTP (${name})`, { timeout: 240_000 }, () => {
    const open = (more?: object, env?: Record<string, string>) => openFiles(name, more, env);

    test('a large file goes up and down as it is, and belongs to the agent', async () => {
      const { put, get, run } = await open();
      const block = randomBytes(1024 ** 2);
      const blocks = LARGE_BYTES / block.length;
      const content = () => Readable.from(Array.from({ length: blocks }, () => block));
      const sum = createHash('sha256');
      for (let n = 0; n < blocks; n += 1) sum.update(block);
      const expected = sum.digest('hex');
      expect(await put('files/deep/large?mode=600', content())).toMatchObject({
        status: 201,
        body: { size: LARGE_BYTES },
      });
      expect((await run('sha256sum deep/large')).stdout).toContain(expected);
      const down = createHash('sha256');
      const response = await get('files/deep/large');
      for await (const part of response) down.update(part);
      expect(response.complete).toBe(true);
      expect(down.digest('hex')).toBe(expected);
      const part = await get('files/deep/large', { range: 'bytes=1048570-1048581' });
      expect([
        part.statusCode,
        (await buffer(part)).equals(Buffer.concat([block, block]).subarray(1048570, 1048582)),
      ]).toEqual([206, true]);
      // As a file and a folder that the agent itself creates.
      await put('files/deep/usual', Buffer.from('x'));
      await run(
        'mkdir own; echo x >own/usual; mkdir -p moved && chmod 755 moved; mv moved moved2; mkdir moved2/in',
      );
      await put('files/moved2/in/f', Buffer.from('x'));
      const stat = async (path: string) => (await run(`stat -c '%U %G %a' ${path}`)).stdout;
      expect(await stat('deep/usual')).toBe(await stat('own/usual'));
      expect(await stat('deep')).toBe(await stat('own'));
      expect((await run('stat -c %a deep/large')).stdout).toBe('600\n');
      expect((await run('echo more >>deep/large && rm -r deep own')).exit_code).toBe(0);
    });

    test('the owner and group are right in a folder that has another group', async () => {
      const { put, run } = await open();
      await run(
        'mkdir plain && chmod g-s plain && chgrp "$(id -g)" plain; echo x >plain/own; mkdir plain/folder',
      );
      await put('files/plain/up', Buffer.from('x'));
      await put('files/plain/new/up', Buffer.from('x'));
      await put(
        'archive/plain',
        tar([
          ['packed', 'x'],
          ['sub/packed', 'x'],
        ]),
      );
      const owners = await run(
        "stat -c '%U %G' plain/own plain/up plain/new plain/new/up plain/packed plain/sub plain/folder",
      );
      expect(new Set(owners.stdout.trim().split('\n')).size, owners.stdout).toBe(1);
    });

    test('odd names and errors pass through the manager as they are', async () => {
      const { put, get, call, run } = await open();
      for (const path of ['%ff%0a%20x', 'x'.repeat(255), 'a%25b', '%E2%82%AC'])
        expect((await put(`files/odd/${path}`, Buffer.from(path))).status, path).toBe(201);
      expect((await run('ls odd | wc -c')).stdout.trim()).toBe(String(4 + 1 + 256 + 4 + 4));
      const { items } = (await call('GET', 'files/odd?list')).body as { items: { path: string }[] };
      for (const { path } of items) {
        const response = await get(`files/${path}`);
        expect([response.statusCode, (await buffer(response)).length > 0]).toEqual([200, true]);
      }
      expect((await get('files/odd/missing')).statusCode).toBe(404);
      for (const path of ['../x', 'odd/..%2f..%2fx', '/etc/passwd', '%2fetc/passwd'])
        expect(await call('GET', `files/${path}`), path).toMatchObject({
          status: 400,
          body: { error: { code: 'invalid_command', reason: 'outside_workspace' } },
        });
      expect((await call('POST', 'files/odd')).status).toBe(400);
      expect((await call('GET', 'files/odd?unknown=1')).status).toBe(400);
      expect(await call('POST', 'files/odd/%ff%0a%20x?move_to=moved%fe')).toMatchObject({ status: 201 });
      const head = await call.raw('HEAD', 'files/moved%fe');
      expect(head.headers).toMatchObject({ 'x-file-type': 'file', 'content-length': '10' });
      expect((await call('DELETE', 'files/odd')).body).toMatchObject({ error: { reason: 'not_empty' } });
      expect((await call.raw('DELETE', 'files/odd?recursive=true')).statusCode).toBe(204);
    });

    test(`${MANY} small files go in and out in one archive`, async () => {
      const { put, get, run } = await open();
      const entries: [string, string][] = Array.from({ length: MANY }, (_, n) => [
        `d${n % 200}/f${n}`,
        `file ${n}\n`,
      ]);
      const packed = tar(entries);
      expect(await put('archive/many', packed)).toMatchObject({
        status: 200,
        body: { files: MANY, directories: 200 },
      });
      expect((await run('find many -type f | wc -l')).stdout.trim()).toBe(String(MANY));
      const response = await get('archive/many');
      const names = execFileSync('tar', ['-tf', '-'], { input: await buffer(response), maxBuffer: 2 ** 26 });
      expect(names.toString().trim().split('\n')).toHaveLength(MANY + 200);
    });

    test('a cut upload is never seen, and others are served beside a slow reader', async () => {
      const { put, get, call, run } = await open();
      await put('files/kept', Buffer.from('old'));
      const body = new PassThrough();
      body.write(randomBytes(200_000));
      const stop = new AbortController();
      const sent = put('files/kept', body, stop.signal);
      await vi.waitFor(async () => expect((await run('ls -A')).stdout).toContain('.part'), PATIENCE);
      expect((await call('GET', 'files/?list')).body.items).toMatchObject([{ name: 'kept', size: 3 }]);
      stop.abort();
      await expect(sent).rejects.toThrow();
      await vi.waitFor(async () => expect((await run('ls -A')).stdout).not.toContain('.part'), PATIENCE);
      expect((await run('cat kept')).stdout).toBe('old');
      await run('head -c 50000000 /dev/zero >big');
      const slow = await get('files/big');
      expect((await put('files/other', Buffer.from('x'))).status).toBe(201);
      slow.destroy();
      expect((await call('GET', 'files/other?stat')).body).toMatchObject({ size: 1 });
    });

    test('an upload that is too large is refused with its reason, however much of it was sent', async () => {
      const { put, call, worker, runtime } = await open({ workspace: { size: '1m' } });
      const [before] = await runtime.find(worker, undefined);
      for (let n = 0; n < 20; n += 1) {
        const body = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(1024 ** 2)));
        expect(
          await put(`files/large${n}`, body, undefined, n % 2 ? { connection: 'close' } : {}),
        ).toMatchObject({
          status: 429,
          body: { error: { code: 'capacity', reason: 'workspace_full' } },
        });
      }
      expect((await call('GET', 'files/?list')).body.items).toEqual([]);
      expect((await put('files/small', Buffer.alloc(1000))).status).toBe(201);
      expect((await runtime.find(worker, undefined)).map(({ id }) => id)).toEqual([before?.id]);
    });

    test('the end of the body in the middle cuts the upload, which the next body does not show', async () => {
      const { put, get, call, run, worker, push, reach, runtime } = await open({ restart_policy: 'always' });
      const body = new PassThrough();
      body.on('error', () => {});
      body.write(randomBytes(200_000));
      const sent = put('files/half', body).catch((error: Error) => error);
      await vi.waitFor(async () => expect((await run('ls -A')).stdout).toContain('.part'), PATIENCE);
      const [before] = await runtime.find(worker, undefined);
      await runtime.kill(before?.id ?? '');
      const result = await sent;
      expect(result instanceof Error || (result.status ?? 0) >= 400).toBe(true);
      await reach(worker, { status: 'RUNNING', phase: 'ready', incarnation: 2 });
      expect((await call('GET', 'files/?list')).body.items).toEqual([]);
      expect((await put('files/next', Buffer.from('x'))).status).toBe(201);
      expect((await run('ls -A')).stdout).toBe('next\n');
      await push({ command: 'stop', worker_id: worker });
      await reach(worker, { status: 'STOPPED' });
      expect((await get('files/next')).statusCode).toBe(409);
    });

    test('changes are followed', async () => {
      const { get, run } = await open();
      const events: string[] = [];
      const response = await get('watch/?recursive=true');
      const reading = (async () => {
        for await (const { event, data } of readEvents(response)) events.push(`${event} ${data.path}`);
      })().catch(() => {});
      await vi.waitFor(() => expect(events).toEqual(['watching ']), PATIENCE);
      await run('mkdir new && echo x >new/file && mv new/file new/moved');
      await vi.waitFor(() => expect(events).toContain('create new/moved'), PATIENCE);
      response.destroy();
      await reading;
    });
  });
}
