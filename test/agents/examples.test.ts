import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentEvent, TurnEnd } from '../../src/agents/dialogue.ts';
import { getAgentKindForSpec } from '../../src/agents/index.ts';
import { Conversation } from './conversation.ts';

const example = (file: string) => join(import.meta.dirname, '../../examples', file);
const python = spawnSync('python3', ['--version']).status === 0;

describe.each([
  ['agent.mjs', process.execPath, true],
  ['agent.py', 'python3', python],
])('the example %s', (file, program, there) => {
  const why = there ? '' : ` (skipped: there is no ${program} here)`;
  let folder: string;
  let child: ReturnType<typeof spawn>;
  let talk: Conversation;
  let gone: Promise<unknown>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'example-'));
    child = spawn(program, [example(file)], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    gone = new Promise((resolve) => child.once('exit', resolve));
    const { dialogue } = getAgentKindForSpec({ agent_type: 'CUSTOM', protocol: 'json' });
    talk = new Conversation(dialogue({ workspace: folder }), child, undefined);
    talk.make({ call: 'open' });
  });

  afterEach(async () => {
    child.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true });
  });

  async function turn(
    content: string,
    interruptAt?: string,
  ): Promise<{ events: AgentEvent[]; end: TurnEnd }> {
    const from = talk.told.length;
    const ended = talk.until((step) => step.ended !== undefined);
    talk.make({ call: 'prompt', content });
    if (interruptAt) {
      await vi.waitFor(() => expect(existsSync(join(folder, interruptAt))).toBe(true), 10_000);
      talk.make({ call: 'interrupt' });
    }
    await ended;
    const told = talk.told.slice(from);
    const end = told.flatMap(({ ended }) => ended ?? [])[0];
    if (!end) throw new Error('The turn has no end.');
    return { events: told.flatMap(({ events }) => events ?? []), end };
  }

  it.skipIf(!there)(`takes turns${why}`, async () => {
    const first = await turn('echo one; echo two >&2');
    expect(first.events).toEqual([
      {
        type: 'tool_use',
        tool: 'sh',
        tool_use_id: '1',
        content: 'echo one; echo two >&2',
        input: { command: 'echo one; echo two >&2' },
      },
      { type: 'tool_result', tool: 'sh', tool_use_id: '1', content: 'one\ntwo\n', is_error: false },
      { type: 'message', content: 'It ended with 0.' },
    ]);
    expect(first.end).toEqual({ ok: true, result: 'one\ntwo\n' });
    const second = await turn('exit 3');
    expect(second.events).toContainEqual(expect.objectContaining({ type: 'tool_result', is_error: true }));
  });

  it.skipIf(!there)(`ends a turn that is interrupted, and takes the next${why}`, async () => {
    const { end } = await turn(': > started; tail -f /dev/null', 'started');
    expect(end).toMatchObject({ ok: false, reason: 'interrupted' });
    expect((await turn('echo again')).end).toEqual({ ok: true, result: 'again\n' });
  });

  it.skipIf(!there)(`ends when there is nothing more to read${why}`, async () => {
    child.stdin?.end();
    expect(await gone).toBe(0);
  });
});
