/** A terminal of a worker whose agent may execute git alone has the rights of the agent, and no others. */
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';

test('a terminal is confined as the agent is', { timeout: 400_000 }, async () => {
  const host = inject('dockerHost');
  const options = {
    redisUrl: inject('redisUrl'),
    cell: newCell(),
    env: {
      RUNTIME: 'docker',
      WORKER_REDIS_URL: inject('bodyRedisUrl'),
      DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
    },
  };
  const manager = await startManager(options);
  const client = connect({ url: manager.url, token: manager.token });
  const worker = await client.workers.create({
    agent_type: 'CUSTOM',
    command_line: ['cat'],
    modules: ['GIT'],
    allowed_commands: ['git'],
  });
  onTestFinished(async () => {
    await worker.delete();
    await vi.waitFor(async () => expect(await client.workers.list()).toMatchObject({ items: [] }), {
      timeout: 60_000,
    });
    await manager.stop();
    await cleanCell({ ...options, home: manager.home });
  });
  await worker.wait('ready', { timeoutSeconds: 300 });
  let seen = '';
  const terminal = await worker.pty.create({
    onData: (bytes) => {
      seen += Buffer.from(bytes).toString();
    },
  });
  const lines = [
    'git --version',
    'python3 --version || echo "python $?"',
    'id -u; id -G',
    'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status',
    'echo by name > /dev/pts/0',
    'exit 4',
  ];
  terminal.sendInput(lines.map((line) => `${line}\r`).join(''));
  expect(await terminal.wait()).toEqual({ exit_code: 4, signal: null });
  expect(seen).toMatch(/git version/);
  expect(seen).toMatch(/python3: Permission denied\r\n/);
  expect(seen).toMatch(/^python 126\r$/m);
  const { stdout: groups } = await worker.commands.run('id -u; id -G');
  const [user = '', members = ''] = groups.split('\n');
  expect(seen).toMatch(new RegExp(`^${user}\\r$`, 'm'));
  expect(seen).toMatch(new RegExp(`^${members}\\r$`, 'm'));
  expect(seen).toMatch(/CapEff:\s+0{16}\r\n/);
  expect(seen).toMatch(/NoNewPrivs:\s+1\r\n/);
  expect(seen).toMatch(/Seccomp:\s+2\r\n/);
  expect(seen).toMatch(/^by name\r$/m);
  await expect(worker.pty.create({ command: ['python3'] })).rejects.toMatchObject({
    code: 'invalid_command',
    message: expect.stringContaining('python3 is not in allowed_commands'),
  });
});
