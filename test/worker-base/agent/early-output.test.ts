/** What a program prints before its start is reported, as `confine` reports it in a container. */
import { tmpdir } from 'node:os';
import { expect, test, vi } from 'vitest';
import { AgentProcess } from '../../../worker-base/agent/agent-process.ts';

// The program itself reports here: no other program can become another user in this test.
vi.mock('../../../worker-base/sandbox/confine-report.ts', async (original) => ({
  ...(await original<object>()),
  reporting: (argv: string[]) => argv,
}));

// Whole results were empty: Node discards the output of a process that has exited unless it has a listener.
test('what a program printed is read even if it exits before its start is reported', async () => {
  const printed: string[] = [];
  const agent = await AgentProcess.start({
    // The report comes from a process that outlives the program.
    argv: ['sh', '-c', 'echo hello; { sleep 0.3; echo "pid $$" >&3; } >/dev/null 2>&1 &'],
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? '' },
    onPiece: (_stream, { text }) => printed.push(text),
    killRest: async () => {},
  });
  await agent.exited;
  await agent.gather(() => Number.POSITIVE_INFINITY);
  expect(printed).toEqual(['hello']);
});
