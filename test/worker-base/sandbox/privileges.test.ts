import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { readProcess } from '../../../src/runtimes/process/process-table.ts';
import { killMarkedAs } from '../../../worker-base/sandbox/kill-processes.ts';
import { createPrivileges } from '../../../worker-base/sandbox/privileges.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { PATIENCE } from '../../support/patience.ts';

/** Outside of a container of ours; inside of one, see test/security. */
describe('the hands of an agent on a machine', () => {
  const settings = {
    workerId: '0b54a5e0-7f44-4d7e-9f6d-4d8a3ed1f001',
    incarnation: 3,
    workspace: '/',
    inherited: { PATH: '/usr/bin:/bin' },
  };

  test('start programs as they are, and claim no more than that', () => {
    const hands = createPrivileges(
      settings,
      workerSpec({ allowed_commands: ['ls', 'no-such-program', 'cd'] }),
    );
    expect(hands.run(['a', 'b'])).toEqual(['a', 'b']);
    expect(hands.helperCommand(['tar'])).toEqual(['tar']);
    expect(hands).toMatchObject({
      enforcement: ['instructions'],
      missing: ['no-such-program'],
      group: undefined,
    });
    const { command_line: _, ...claude } = workerSpec({ agent_type: 'CLAUDE', allowed_commands: [] });
    expect(createPrivileges(settings, claude).enforcement).toEqual(['instructions', 'gate']);
    expect(createPrivileges(settings, workerSpec())).toMatchObject({ enforcement: [], missing: [] });
  });

  test('end all of the agent, even what left its group and lost its parent, and no other', async () => {
    const env = { PATH: '/usr/bin:/bin', WORKER_ID: settings.workerId, WORKER_INCARNATION: '3' };
    const foreign = spawn('sleep', ['303'], { env: { ...env, WORKER_INCARNATION: '2' } });
    // A child, one in a session of its own, one whose parent has gone, and one without the environment.
    const script =
      'sleep 300 & echo $!; setsid sleep 301 & echo $!; (setsid sleep 302 & echo $!); env -i sleep 304 & echo $!; wait';
    const agent = spawn('/bin/sh', ['-c', script], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      let said = '';
      agent.stdout.on('data', (part) => {
        said += part;
      });
      await vi.waitFor(() => expect(said.trim().split('\n')).toHaveLength(4), { timeout: 10_000 });
      const ended = once(agent, 'exit');
      await createPrivileges(settings, workerSpec()).killAll(agent.pid ?? 0);
      await ended;
      for (const pid of said.trim().split('\n').map(Number)) expect(await readProcess(pid)).toBeUndefined();
      expect(foreign.exitCode).toBeNull();
      expect(process.kill(foreign.pid ?? 0, 0)).toBe(true);
    } finally {
      foreign.kill('SIGKILL');
      if (agent.exitCode === null && agent.signalCode === null) process.kill(-(agent.pid ?? 0), 'SIGKILL');
    }
  });

  // In a container the wrapper cannot read the environment of another user's processes: a search of its own found nothing.
  test('end what carries the mark of one slot, by a program of the agent’s user', async () => {
    const start = (slot: string) =>
      spawn('setsid', ['sleep', '306'], {
        env: { PATH: '/usr/bin:/bin', WORKER_SLOT: slot },
        stdio: 'ignore',
      });
    const [own, foreign] = [start('a-slot'), start('a-slot-2')];
    try {
      const ended = once(own, 'exit');
      await once(foreign, 'spawn');
      await vi.waitFor(async () => {
        await killMarkedAs(['/usr/bin/env'], 'WORKER_SLOT=a-slot');
        expect(own.signalCode).toBe('SIGKILL');
      }, PATIENCE);
      await ended;
      expect(foreign.exitCode).toBeNull();
      expect(foreign.signalCode).toBeNull();
    } finally {
      own.kill('SIGKILL');
      foreign.kill('SIGKILL');
    }
  });
});
