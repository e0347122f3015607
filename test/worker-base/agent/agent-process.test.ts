/** The agent as real processes: how its end is seen, what it leaves behind, and what it writes without a newline. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentProcess } from '../../../worker-base/agent/agent-process.ts';
import { type Exit, getExitCode } from '../../../worker-base/agent/exit.ts';
import { whyNotFound, whyScriptFails } from '../../../worker-base/sandbox/executable.ts';
import type { Piece } from '../../../worker-base/streams/entry.ts';
import { isAlive } from '../body.ts';

const { PATH = '' } = process.env;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agent-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function start(script: string, more: { onBytes?: () => void; killRest?: () => Promise<void> } = {}) {
  const pieces: Piece[] = [];
  const agent = await AgentProcess.start({
    argv: ['sh', '-c', script],
    cwd: dir,
    env: { PATH },
    onPiece: (_stream, piece) => pieces.push(piece),
    killRest: async () => {},
    ...more,
  });
  const text = () => pieces.map(({ text, partial }) => (partial ? text : `${text}\n`)).join('');
  return { agent, pieces, text };
}

async function ended(agent: AgentProcess): Promise<Exit> {
  const exit = await agent.exited;
  await agent.gather(() => Number.POSITIVE_INFINITY);
  return exit;
}

describe('the end of an agent', () => {
  // Node reports `{ code: 0, signal: null }` for these: the worker was Completed and was not restarted.
  test.each([
    [34, 'SIGRTMIN', 162],
    [40, 'SIGRTMIN+6', 168],
    [64, 'SIGRTMIN+30', 192],
  ])('by the real-time signal %i is a failure', async (number, signal, code) => {
    const { agent } = await start(`kill -${number} $$`);
    const exit = await ended(agent);
    expect(exit).toEqual({ code: null, signal });
    expect(getExitCode(exit)).toBe(code);
  });

  test.each([
    ['kill -TERM $$', { code: null, signal: 'SIGTERM' }, 143],
    ['exit 0', { code: 0, signal: null }, 0],
    ['exec >&- 2>&-; exit 3', { code: 3, signal: null }, 3],
  ])('%s is reported as before', async (script, exit, code) => {
    const { agent } = await start(script);
    expect(await ended(agent)).toEqual(exit);
    expect(getExitCode(exit)).toBe(code);
  });

  test('does not wait for remaining processes that keep writing, and ends them', async () => {
    // In a session of its own and without the body's mark, as a daemon: nothing finds it but its pipe.
    const left = 'echo $$; while :; do echo more; sleep 0.05; done';
    const { agent, pieces } = await start(`setsid env -i PATH=$PATH sh -c '${left}' & sleep 0.3; exit 7`);
    const began = performance.now();
    expect(await ended(agent)).toEqual({ code: 7, signal: null });
    expect(performance.now() - began).toBeLessThan(10_000);
    const pid = Number(pieces[0]?.text.split('\n', 1)[0]);
    expect(pid).toBeGreaterThan(1);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 });
  }, 30_000);

  test('is searched for what it has left once more while something holds its pipes', async () => {
    const killRest = vi.fn(async () => {
      throw new Error("The agent's processes 1 do not die: they hang in the kernel.");
    });
    const { agent } = await start('setsid sleep 2.5 & exit 5', { killRest });
    expect(await ended(agent)).toEqual({ code: 5, signal: null });
    expect(killRest).toHaveBeenCalledTimes(2);
  });
});

describe('output that no newline has ended', () => {
  test('is seen while the agent waits, and its end is put together byte for byte', async () => {
    const { agent, pieces, text } = await start('printf "[y/N] "; read -r x; printf "%s, bye" "$x"');
    await vi.waitFor(() => expect(text()).toBe('[y/N] '), { timeout: 5000, interval: 10 });
    expect(pieces[0]).toMatchObject({ partial: true, lines: 0, bytes: 6 });
    await agent.write('yes\n');
    await ended(agent);
    expect(text()).toBe('[y/N] yes, bye');
  });

  test('tears no character, and keeps bytes that are not text', async () => {
    const { agent, text, pieces } = await start(
      "printf 'a\\303'; sleep 0.3; printf '\\244b'; sleep 0.3; printf '\\377\\n'",
    );
    await ended(agent);
    expect(text()).toBe('a\u00e4b\ufffd\n');
    const bytes = pieces.map(({ text, base64, partial }) =>
      Buffer.concat([
        base64 === undefined ? Buffer.from(text) : Buffer.from(base64, 'base64'),
        Buffer.from(partial ? '' : '\n'),
      ]),
    );
    expect(Buffer.concat(bytes)).toEqual(Buffer.from([0x61, 0xc3, 0xa4, 0x62, 0xff, 10]));
  });

  test('is a sign of life each time, also before it is sent', async () => {
    const onBytes = vi.fn();
    const { agent } = await start('for i in 1 2 3 4; do printf .; sleep 0.05; done', { onBytes });
    await ended(agent);
    expect(onBytes.mock.calls.length).toBeGreaterThanOrEqual(3);
  });
});

describe('a program that the system does not find', () => {
  const script = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    chmodSync(join(dir, name), 0o755);
    return join(dir, name);
  };

  // It was reported as missing: check command_line and the PATH.
  test.each([
    ['with Windows line endings', '#!/bin/sh\r\necho hi\r\n', 'CRLF'],
    [
      'whose interpreter is not there',
      '#!/no/such/python3 -u\n',
      'its interpreter /no/such/python3 does not',
    ],
  ])('%s is reported as such', async (_, text, why) => {
    const file = script('run', text);
    for (const name of [file, './run', 'run'])
      expect(whyNotFound(name, name === 'run' ? dir : PATH, dir)).toContain(why);
    const order = { cwd: dir, env: { PATH }, onPiece: () => {}, killRest: async () => {} };
    await expect(AgentProcess.start({ argv: [file], ...order })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  // `env` was executed, so the worker was ready for a moment, and whatever waited for it succeeded.
  test.each([
    ['#!/usr/bin/env bash\r\necho hi\r\n', 'CRLF'],
    ['#!/bin/sh -e\r\n', 'CRLF'],
    ['#!/usr/bin/env no-such-interpreter\n', 'needs no-such-interpreter, which is not in the PATH'],
    ['#!/usr/bin/env -S no-such-interpreter -u\n', undefined],
    ['#!/usr/bin/env -S A=1 no-such-interpreter\n', undefined],
    ['#!/usr/bin/env sh\n', undefined],
    ['#!/bin/sh\n', undefined],
    ['echo hi\n', undefined],
  ])('or that starts and cannot run is known before: %j', (text, why) => {
    const found = whyScriptFails(script('fails', text), PATH, dir);
    if (why === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(why);
  });

  test('and that does not exist is reported by the system alone', () => {
    expect(whyNotFound('no-such-program', PATH, dir)).toBeUndefined();
  });
});
