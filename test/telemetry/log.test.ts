import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect, test, vi } from 'vitest';
import { createLogger, joinLines, type LogOptions } from '../../src/telemetry/log.ts';
import { PATIENCE } from '../support/patience.ts';

/** A logger whose lines the test reads. */
function logger(options: LogOptions = {}) {
  const text: string[] = [];
  const log = createLogger({ destination: { write: (line: string) => void text.push(line) }, ...options });
  const lines = () => text.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, text, lines };
}

test('a line is one JSON object with time, level as a word, service, version and nothing of the host', () => {
  const { log, text, lines } = logger({ version: '1.2.3' });
  log.child({ worker_id: 'w', request_id: 'r' }).warn('it happened');
  const { time, ...rest } = lines()[0] ?? {};
  expect(text[0]?.endsWith('}\n')).toBe(true);
  expect(new Date(String(time)).toISOString()).toBe(time);
  expect(rest).toEqual({
    level: 'warn',
    service: 'worker-manager',
    version: '1.2.3',
    worker_id: 'w',
    request_id: 'r',
    msg: 'it happened',
  });
});

test('the level is obeyed', () => {
  const { log, lines } = logger({ level: 'error' });
  log.info('no');
  log.error('yes');
  expect(lines().map(({ msg }) => msg)).toEqual(['yes']);
});

test('an error is written with type, message and stack', () => {
  const { log, lines } = logger();
  log.error({ err: new TypeError('broken', { cause: new Error('the cause') }) }, 'a pass failed');
  expect(lines()[0]?.err).toMatchObject({ type: 'TypeError', message: 'broken: the cause' });
});

test('no way in lets a secret out', () => {
  const url = 'redis://user:hunter2@127.0.0.1:6379/0';
  const error = Object.assign(new Error(`connect ${url}`), {
    command: { name: 'auth', args: ['user', 'hunter2'] },
    url,
    errors: [new Error(url)],
  });
  const { log, text, lines } = logger({ secrets: ['api-token-value'] });
  log.info(`connecting to ${url}`);
  log.info({ url, nested: { deep: { list: [url] } } }, 'connecting to %s', url);
  log.error({ err: error }, 'failed');
  log.error(error);
  log.error({ err: new Error('outer', { cause: error }) });
  log.child({ redis: url }).info('child');
  log.info({
    password: 'hunter2',
    spec: { env: { KEY: 'hunter2' } },
    headers: { authorization: 'Bearer hunter2' },
  });
  log.info({ request: { headers: { authorization: 'hunter2' } } }, 'token is api-token-value');
  expect(text).toHaveLength(8);
  expect(text.join('')).not.toMatch(/hunter2|api-token-value/);
  expect(lines()[1]).toMatchObject({ nested: { deep: { list: ['redis://***@127.0.0.1:6379/0'] } } });
});

test('pretty is for people, and hides as much', () => {
  const { log, text } = logger({ pretty: true });
  log.info({ worker_id: 'w' }, 'connecting to redis://user:hunter2@host');
  expect(text.join('')).toContain('INFO');
  expect(text.join('')).toContain('redis://***@host');
  expect(text.join('')).toContain('worker_id=w');
  expect(() => JSON.parse(text.join(''))).toThrow();
});

test('a change is one readable line on a terminal, and a constant message with fields for programs', () => {
  const event = {
    ...{ worker_id: '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11', trace_id: '0af7651916cd43dd8448eb211c80319c' },
    ...{
      rule: 'ended, to restart',
      timestamp: '2030-01-01T00:00:00.000Z',
      type: 'status',
      status: 'STARTING',
    },
    ...{ phase: 'backoff', reason: 'Error', message: 'It exited with code 3.', incarnation: 2 },
    actions: ['remove body 0123', 'send SIGTERM to body 4'],
  };
  const people = logger({ pretty: true });
  people.log.info(event, 'worker changed');
  people.log.info(
    { request_id: 'r 1', worker_id: event.worker_id, command: 'create', result: 'ok' },
    'command settled',
  );
  people.log.warn({ worker_id: event.worker_id, tries: 2, why: 'it is away' }, 'reconcile failed; retrying');
  const lines = people.text.join('').trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/^\[[\d:.]+\] /, ''))).toEqual([
    'INFO: worker 5f0c6a52 STARTING backoff (incarnation 2)  Error: It exited with code 3.  → remove body 0123, send SIGTERM to body 4  trace_id=0af7651916cd43dd8448eb211c80319c',
    'INFO: command create ok  worker 5f0c6a52  request_id="r 1"',
    'WARN: reconcile failed; retrying  worker_id=5f0c6a52  tries=2  why="it is away"',
  ]);
  const programs = logger();
  programs.log.info(event, 'worker changed');
  expect(programs.lines()).toMatchObject([{ ...event, msg: 'worker changed' }]);
});

test('a message and a stack with escape sequences do not control the terminal of a manager', () => {
  const { log, text } = logger({ pretty: true });
  const err = new Error('failed \u001b]0;owned\u0007\u009b2J');
  log.error({ err, why: '\u001b[2J' }, 'task \u001b[31mfailed');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be printed.
  expect(text.join('')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  expect(text.join('')).toContain('task failed');
});

test('the lines of one turn are one write after it, and a long text does not wait', async () => {
  const written: string[] = [];
  const joined = joinLines({ write: (text: string) => void written.push(text) });
  joined.write('one\n');
  joined.write('two\n');
  expect(written).toEqual([]);
  await vi.waitFor(() => expect(written).toEqual(['one\ntwo\n']), PATIENCE);
  joined.write(`${'x'.repeat(100_000)}\n`);
  expect(written).toHaveLength(2);
});

test('lines that were logged before the end of a process are written', () => {
  const file = new URL('../../src/telemetry/log.ts', import.meta.url).href;
  for (const end of ['process.exit(3)', 'throw new Error("broken")']) {
    const program = `import { createLogger } from ${JSON.stringify(file)}; createLogger({ pretty: false }).info('the last line'); ${end};`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
    expect(String(stdout)).toContain('the last line');
  }
});

test('lines that cannot be written are kept up to a limit, and the number of the others is logged', async () => {
  let written = '';
  let isFull = true;
  const write = vi.spyOn(fs, 'writeSync').mockImplementation((_fd: number, text: unknown) => {
    if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    written += text;
    return Buffer.byteLength(String(text));
  });
  try {
    const log = createLogger({ pretty: false });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (let at = 0; at < 100; at += 1) {
      log.info({ at, text: 'x'.repeat(60_000) }, 'long');
      await turn();
    }
    isFull = false;
    log.info('there is space again');
    await vi.waitFor(() => expect(written).toContain('lines were lost'), PATIENCE);
    const lines = written
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; lost?: number });
    const kept = lines.filter(({ msg }) => msg === 'long').length;
    expect(kept).toBeGreaterThan(50);
    expect(lines.find(({ lost }) => lost !== undefined)?.lost).toBe(100 - kept);
    expect(lines.some(({ msg }) => msg === 'there is space again')).toBe(true);
  } finally {
    write.mockRestore();
  }
});
