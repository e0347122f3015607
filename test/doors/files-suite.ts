/** The files of workers through a real manager, in each runtime. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openWorld, type RuntimeUnderTest } from '../faults/world.ts';
import { readEvents } from '../worker-base/exec/exec-door.ts';
import { createFilesApi, tar } from './files-api.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
/** Small files of one archive. */
const MANY = { process: 100_000, docker: 20_000 };
const LARGE_BYTES = 300 * 1024 ** 2;

/** Swaps a folder for a link out of the workspace, and back, as fast as it can; both names always exist. */
const SWAPPER = `
import ctypes, os
os.makedirs('/tmp/OUTSIDE/d', exist_ok=True)
open('/tmp/OUTSIDE/d/secret', 'w').write('outside')
os.makedirs('race/d', exist_ok=True)
open('race/d/secret', 'w').write('inside')
os.symlink('/tmp/OUTSIDE', 'link')
swap = ctypes.CDLL(None, use_errno=True).renameat2
while True:
    if swap(-100, b'race', -100, b'link', 2):
        raise OSError(ctypes.get_errno(), 'swap')
`;

/** Registers the suite for one runtime. */
export function filesSuite(name: RuntimeUnderTest): void {
  describe(`the files of a worker over HTTP (${name})`, { timeout: 240_000 }, () => {
    const open = async (more: object = {}, env: Record<string, string> = {}) => {
      const world = await openWorld(name);
      const manager = await world.start(undefined, env);
      const worker = randomUUID();
      await world.create(worker, { command_line: ['sleep', '600'], stop_grace_seconds: 1, ...more });
      // The image of a locked worker may have to be built.
      await vi.waitFor(
        async () =>
          expect((await world.cell.store.status(worker))?.status).toMatchObject({
            status: 'RUNNING',
            phase: 'ready',
          }),
        { timeout: 200_000, interval: 20 },
      );
      return { ...world, worker, manager, ...createFilesApi(manager, worker) };
    };

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

    const many = MANY[name];
    test(`${many} small files go in and out in one archive`, async () => {
      const { put, get, run } = await open();
      const entries: [string, string][] = Array.from({ length: many }, (_, n) => [
        `d${n % 200}/f${n}`,
        `file ${n}\n`,
      ]);
      const packed = tar(entries);
      expect(await put('archive/many', packed)).toMatchObject({
        status: 200,
        body: { files: many, directories: 200 },
      });
      expect((await run('find many -type f | wc -l')).stdout.trim()).toBe(String(many));
      const response = await get('archive/many');
      const names = execFileSync('tar', ['-tf', '-'], { input: await buffer(response), maxBuffer: 2 ** 26 });
      expect(names.toString().trim().split('\n')).toHaveLength(many + 200);
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

    test('an agent that swaps folders for links gets nothing read or written outside', async () => {
      const outside = `files-${randomUUID().slice(0, 8)}`;
      const script = SWAPPER.replaceAll('OUTSIDE', outside);
      const { put, get, call, run } = await open({ command_line: ['python3', '-c', script] });
      if (name === 'process') onTestFinished(() => void execFileSync('rm', ['-rf', `/tmp/${outside}`]));
      await vi.waitFor(async () => expect((await run('ls link')).exit_code).toBe(0), PATIENCE);
      const seen = new Set<string>();
      const until = performance.now() + 8000;
      for (let n = 0; performance.now() < until; n += 1) {
        const [read, packed] = await Promise.all([get('files/race/d/secret'), get('archive/race/d')]);
        seen.add(`${read.statusCode} ${read.statusCode === 200 ? (await buffer(read)).toString() : ''}`);
        read.resume();
        const bytes = await buffer(packed).catch(() => Buffer.alloc(0));
        if (packed.statusCode === 200 && bytes.includes('outside')) seen.add('archived outside');
        await put(`files/race/d/up${n % 10}`, Buffer.from('x'));
        await put('archive/race/d', tar([[`packed${n % 10}`, 'x']]));
        await call('POST', `files/race/d/made${n % 10}?mkdir`);
        await call('POST', `files/race/d/up${n % 10}?move_to=race/d/moved`);
        await call.raw('DELETE', `files/race/d/packed${n % 10}`);
      }
      expect([...seen].filter((text) => text.includes('outside'))).toEqual([]);
      expect([...seen]).toContain('200 inside');
      // Both happened: it was reached, and it was swapped.
      expect([...seen].some((text) => text.startsWith('4'))).toBe(true);
      expect((await run(`find /tmp/${outside}`)).stdout.trim().split('\n')).toHaveLength(3);
    });

    test('a worker whose commands are locked has its files too', async () => {
      if (name !== 'docker') return;
      const { put, get, run } = await open({ allowed_commands: ['id'] }, { WORKER_IMAGE: '' });
      expect((await put('files/a/b', Buffer.from('x'))).status).toBe(201);
      expect((await buffer(await get('files/a/b'))).toString()).toBe('x');
      expect((await run('cat a/b')).stdout).toBe('x');
      expect((await run('node -e 0')).exit_code).toBe(126);
      expect((await run('echo more >>a/b; cat a/b')).stdout).toBe('xmore\n');
    });
  });
}
