/** Processes that are started through the door, on this machine. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EXEC_FRAMES, readFrames } from '../../../src/model/doors/exec-frames.ts';
import type { WorkerSpec } from '../../../src/model/worker/spec.ts';
import { type ExecDoor, openExecDoor, readEvents } from './exec-door.ts';

const doors: ExecDoor[] = [];
afterEach(() => {
  for (const door of doors.splice(0)) door.close();
});

async function open(spec: Partial<WorkerSpec> = {}): Promise<ExecDoor> {
  const door = await openExecDoor(spec);
  doors.push(door);
  return door;
}

const sse = { accept: 'text/event-stream' };
const MIB = 1024 ** 2;

/** Whether the process runs; a zombie does not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const soon = { timeout: 10_000, interval: 20 };

async function events(door: ExecDoor, request: object) {
  const found = [];
  for await (const event of readEvents(await door.send('POST', '/exec', { body: request, headers: sse })))
    found.push(event);
  return found;
}

describe('a command', () => {
  test('has its output, separate and unchanged, and its exit code', async () => {
    const { run } = await open();
    expect(await run({ shell: 'echo out; echo err >&2; exit 3' })).toMatchObject({
      exit_code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    const binary = await run({ command: ['printf', '\\377\\000a'] });
    expect(binary).toMatchObject({ exit_code: 0, stdout: '\ufffd\0a', stdout_base64: '/wBh' });
  });

  test('runs in the workspace with the variables of the agent, or as requested', async () => {
    const { run, workspace } = await open();
    mkdirSync(join(workspace, 'a b'));
    expect((await run({ shell: 'pwd; echo $SHOWN $WORKER_ID' })).stdout).toMatch(
      new RegExp(`^${workspace}\nyes [0-9a-f-]{36}\n$`),
    );
    const env = { SHOWN: 'a "$b"\n', WORKER_ID: 'forged' };
    const own = await run({ command: ['sh', '-c', 'pwd; printf %s "$SHOWN$WORKER_ID"'], cwd: 'a b', env });
    expect(own.stdout).toMatch(new RegExp(`^${workspace}/a b\na "\\$b"\n[0-9a-f-]{36}$`));
  });

  test('gets its input, text, bytes or none', async () => {
    const { run } = await open();
    expect((await run({ command: ['cat'], stdin: 'héllo' })).stdout).toBe('héllo');
    expect((await run({ command: ['wc', '-c'], stdin_base64: '/wBh' })).stdout.trim()).toBe('3');
    expect((await run({ command: ['cat'] })).stdout).toBe('');
    expect((await run({ command: ['true'], stdin: 'x'.repeat(500_000) })).exit_code).toBe(0);
  });

  test('that cannot be executed ends with the code of a shell and the reason', async () => {
    const { run, workspace } = await open();
    writeFileSync(join(workspace, 'plain'), '', { mode: 0o644 });
    writeFileSync(join(workspace, 'windows'), '#!/bin/sh\r\n', { mode: 0o755 });
    expect(await run({ command: ['no-such-program'] })).toMatchObject({
      exit_code: 127,
      error: 'no-such-program could not be executed: it was not found.',
      stderr: 'no-such-program could not be executed: it was not found.\n',
    });
    expect(await run({ command: ['./plain'] })).toMatchObject({ exit_code: 126 });
    expect((await run({ command: ['./windows'] })).error).toContain('Windows line endings');
  });

  test('that is not allowed is refused with the reason', async () => {
    const { run } = await open({ allowed_commands: ['git'] });
    for (const request of [
      { command: ['curl', 'x'] },
      { shell: 'ls && curl x' },
      { command: ['bash', '-c', 'curl x'] },
    ])
      expect(await run(request)).toMatchObject({
        exit_code: 126,
        error: 'curl is not in allowed_commands (git), regardless of how it is started.',
      });
    expect(await run({ shell: 'ls' })).toMatchObject({ exit_code: 0 });
  });

  test('that is ended by a signal, or after its timeout, says so', async () => {
    const { run } = await open();
    expect(await run({ shell: 'kill -TERM $$' })).toMatchObject({ exit_code: 143, signal: 'SIGTERM' });
    expect(await run({ shell: 'kill -KILL $$' })).toMatchObject({ exit_code: 137, signal: 'SIGKILL' });
    const late = await run({ shell: 'trap "" TERM; echo begun; sleep 60; sleep 60', timeout_seconds: 0.3 });
    expect(late).toMatchObject({ exit_code: 124, timed_out: true, stdout: 'begun\n' });
  });

  test('whose children hold its output ends soon, with what they wrote', async () => {
    const { run } = await open();
    const { stdout, exit_code } = await run({ shell: '(sleep 0.1; echo late; sleep 100) & echo first' });
    expect([stdout, exit_code]).toEqual(['first\nlate\n', 0]);
  });

  test.each([
    ['no command', {}],
    ['both', { command: ['a'], shell: 'a' }],
    ['an empty command', { command: [] }],
    ['NUL', { command: ['a\0b'] }],
    ['a variable without a name', { command: ['true'], env: { 'A=B': 'x' } }],
    ['a time of 0', { command: ['true'], timeout_seconds: 0 }],
    ['an unknown field', { command: ['true'], user: 'root' }],
    ['input twice', { command: ['true'], stdin: 'a', open_stdin: true }],
    ['a directory that does not exist', { command: ['true'], cwd: 'missing' }],
    ['a directory that is none', { command: ['true'], cwd: '/etc/passwd' }],
    ['a list', []],
  ])('with %s is refused before it starts', async (_what, request) => {
    const { ask } = await open();
    const { status, body } = await ask('POST', '/exec', request);
    expect([status, body.error?.code]).toEqual([400, 'invalid_command']);
  });
});

describe('a stream', () => {
  test('has each event with its offset, and the end', async () => {
    const door = await open();
    const found = await events(door, {
      shell: 'printf a; sleep 0.2; printf b >&2; sleep 0.2; printf "\\377"; exit 2',
    });
    expect(found.map(({ event }) => event)).toEqual(['started', 'stdout', 'stderr', 'stdout', 'exit']);
    expect(found.slice(1, 4).map(({ id, data }) => [id, data])).toEqual([
      ['1', { offset: 0, content: 'a' }],
      ['2', { offset: 1, content: 'b' }],
      ['3', { offset: 2, content: '\ufffd', base64: '/w==' }],
    ]);
    expect(found.at(-1)?.data).toMatchObject({ exit_code: 2, output_bytes: 3 });
  });

  test('of a command that is refused has the reason', async () => {
    const door = await open({ allowed_commands: [] });
    const found = await events(door, { command: ['curl'] });
    expect(found.map(({ event }) => event)).toEqual(['started', 'stderr', 'exit']);
    expect(found.at(-1)?.data).toMatchObject({ exit_code: 126 });
  });

  test('carries 64 MiB both ways, whose sum is right', async () => {
    const door = await open();
    const response = await door.send('POST', '/exec', {
      body: { command: ['cat'], open_stdin: true },
      headers: { accept: EXEC_FRAMES },
    });
    const part = randomBytes(MIB);
    const sent = createHash('sha256');
    const input = Readable.from(
      (function* () {
        for (let at = 0; at < 64; at += 1) {
          part.writeUInt32BE(at);
          const copy = Buffer.from(part);
          sent.update(copy);
          yield copy;
        }
      })(),
    );
    const received = createHash('sha256');
    let writing: Promise<unknown> | undefined;
    let exit: object = {};
    for await (const frame of readFrames(response)) {
      if ('stream' in frame) received.update(frame.bytes);
      else if (frame.event.type === 'exit') exit = frame.event;
      else
        writing = door.send('POST', `/processes/${frame.event.process_id}/stdin?close=true`, { body: input });
    }
    await writing;
    expect(exit).toMatchObject({ exit_code: 0, output_bytes: 64 * MIB });
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  test('that is not read makes the process wait', async () => {
    const door = await open();
    const stop = new AbortController();
    const response = await door.send('POST', '/exec', {
      body: { shell: 'yes > /dev/stdout & echo $! >&2; exec cat /dev/zero', detach: true },
      headers: sse,
      signal: stop.signal,
    });
    response.on('error', () => {});
    const { body } = await door.ask('GET', '/processes');
    const id = body.items[0].process_id;
    const size = async () => (await door.ask('GET', `/processes/${id}`)).body.output_bytes;
    let before = -1;
    await vi.waitFor(
      async () => {
        const now = await size();
        const same = now === before && now > 0;
        before = now;
        expect(same).toBe(true);
      },
      { ...soon, interval: 200 },
    );
    expect(before).toBeLessThan(32 * MIB);
    // Without a reader, it continues.
    stop.abort();
    await vi.waitFor(async () => expect(await size()).toBeGreaterThan(before + 8 * MIB), soon);
    await door.ask('DELETE', `/processes/${id}`);
  });
});

describe('the end', () => {
  test('of a client is that of its command, with all children in sessions of their own', async () => {
    const door = await open();
    const stop = new AbortController();
    const shell =
      'sleep 300 & echo $!; setsid sleep 301 & echo $!; (setsid sh -c "sleep 302 & echo \\$!; wait" &); sleep 303';
    const response = await door.send('POST', '/exec', { body: { shell }, headers: sse, signal: stop.signal });
    const pids: number[] = [];
    for await (const { event, data } of readEvents(response)) {
      if (event === 'stdout') pids.push(...data.content.trim().split('\n').map(Number));
      if (pids.length === 3) break;
    }
    stop.abort();
    await vi.waitFor(() => expect(pids.filter(runs)).toEqual([]), soon);
    await vi.waitFor(async () => expect((await door.ask('GET', '/processes')).body.items).toEqual([]), soon);
  });

  test('of a client that waits for the result is the same', async () => {
    const door = await open();
    const stop = new AbortController();
    const waiting = door.send('POST', '/exec', {
      body: { shell: 'echo $$ > pid; sleep 300' },
      signal: stop.signal,
    });
    waiting.catch(() => {});
    const file = join(door.workspace, 'pid');
    await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toBeTruthy(), soon);
    const pid = Number(readFileSync(file, 'utf8'));
    stop.abort();
    await vi.waitFor(() => expect(runs(pid)).toBe(false), soon);
  });

  test('of the body is that of all processes, and none starts after it', async () => {
    const door = await open();
    const { body } = await door.ask('POST', '/exec', { command: ['sleep', '300'], detach: true });
    door.end();
    await vi.waitFor(() => expect(runs(body.pid)).toBe(false), soon);
    expect((await door.ask('POST', '/exec', { command: ['true'] })).body.error.code).toBe('conflict');
  });
});

describe('a detached process', () => {
  test('is listed, written to, read again from any offset, and removed', async () => {
    const door = await open();
    const { status, body } = await door.ask('POST', '/exec', {
      command: ['cat'],
      open_stdin: true,
      detach: true,
    });
    expect([status, body]).toMatchObject([201, { status: 'running', detached: true, stdin_open: true }]);
    const path = `/processes/${body.process_id}`;
    for (const [at, text] of ['first,', 'second,'].entries()) {
      const close = at === 1 ? '?close=true' : '';
      const sent = await door.send('POST', `${path}/stdin${close}`, { body: text });
      expect(sent.statusCode).toBe(200);
    }
    const texts = [];
    for (const offset of [0, 3, 13]) {
      let text = '';
      let code: number | undefined;
      for await (const { event, data } of readEvents(
        await door.send('GET', `${path}/output?offset=${offset}`),
      )) {
        if (event === 'stdout') text += data.content;
        if (event === 'exit') code = data.exit_code;
      }
      texts.push([text, code]);
    }
    expect(texts).toEqual([
      ['first,second,', 0],
      ['st,second,', 0],
      ['', 0],
    ]);
    expect((await door.ask('GET', path)).body).toMatchObject({
      status: 'ended',
      exit_code: 0,
      output_bytes: 13,
    });
    const late = await door.send('POST', `${path}/stdin`, { body: 'x' });
    expect(late.statusCode).toBe(409);
    expect((await door.ask('DELETE', path)).status).toBe(200);
    expect((await door.ask('GET', path)).body.error.code).toBe('not_found');
  });

  test('reports what was dropped before a reader came', async () => {
    const door = await open();
    const { body } = await door.ask('POST', '/exec', { shell: 'head -c 8000000 /dev/zero', detach: true });
    const path = `/processes/${body.process_id}`;
    await vi.waitFor(async () => expect((await door.ask('GET', path)).body.status).toBe('ended'), soon);
    let next = 0;
    let lost = 0;
    for await (const { event, data } of readEvents(await door.send('GET', `${path}/output`))) {
      if (event === 'lost') lost += data.bytes;
      if (event === 'lost' || event === 'stdout') {
        expect(data.offset).toBe(next);
        next += event === 'lost' ? data.bytes : data.content.length;
      }
    }
    expect(next).toBe(8_000_000);
    expect(lost).toBeGreaterThan(3_000_000);
  });

  test('is sent signals, and killed with all children', async () => {
    const door = await open();
    const start = async (shell: string) =>
      `/processes/${(await door.ask('POST', '/exec', { shell, detach: true })).body.process_id}`;
    const trapped = await start('trap "exit 7" INT; echo ready; while :; do sleep 0.05; done');
    for await (const { event } of readEvents(await door.send('GET', `${trapped}/output`)))
      if (event === 'stdout') break;
    expect((await door.ask('POST', `${trapped}/signal`, { signal: 'SIGINT' })).status).toBe(200);
    await vi.waitFor(async () => expect((await door.ask('GET', trapped)).body.exit_code).toBe(7), soon);
    expect((await door.ask('POST', `${trapped}/signal`, { signal: 'SIGINT' })).status).toBe(409);
    expect((await door.ask('POST', `${trapped}/signal`, { signal: 'KILL; rm' })).status).toBe(400);
    const parent = await start('setsid sleep 300 & echo $! > child; sleep 300');
    const file = join(door.workspace, 'child');
    await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toBeTruthy(), soon);
    expect((await door.ask('DELETE', parent)).body).toMatchObject({ signal: 'SIGKILL', exit_code: 137 });
    expect(runs(Number(readFileSync(file, 'utf8')))).toBe(false);
  });

  test('is one of a bounded number', async () => {
    const door = await open();
    const start = () => door.ask('POST', '/exec', { command: ['sleep', '300'], detach: true });
    const all = await Promise.all(Array.from({ length: 140 }, start));
    const refused = all.filter(({ status }) => status !== 201);
    expect(refused.length).toBe(12);
    for (const { body, status } of refused) expect([status, body.error.code]).toEqual([429, 'capacity']);
    const pids = all.flatMap(({ body }) => body.pid ?? []);
    door.end();
    await vi.waitFor(() => expect(pids.filter(runs)).toEqual([]), soon);
  });
});
