/**
 * An upgrade: the bodies and records that an earlier commit's manager has made are taken over by this one, without a
 * restart of a body. The earlier version runs from the history of this repository, with its own wrapper and image.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { getKeys } from '../../src/store/keys.ts';
import { wmOf } from '../cli/wm.ts';
import { dockerAt } from '../support/docker.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';

/**
 * The last commit before records had a format. Move it forward when this version's packages can't run it any more, or
 * when a direct upgrade from it is no longer promised.
 */
const EARLIER = 'dea60a6e8b53d3f1282b84ec11f2590d8ceb37d9';
const ROOT = join(import.meta.dirname, '../..');
const WAIT = { timeout: 120_000, interval: 50 };
const IDS = {
  process: '0a7b1f5e-3c55-4a27-8f5b-0b7f0c6a1a01',
  docker: '0a7b1f5e-3c55-4a27-8f5b-0b7f0c6a1a02',
};

const git = (...args: string[]) =>
  execFileSync('git', ['-C', ROOT, ...args], { stdio: 'pipe', maxBuffer: 2 ** 27 });

function hasEarlier(): boolean {
  try {
    git('cat-file', '-e', `${EARLIER}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

/** The sources of that commit, with this checkout's packages and a wrapper of their own. */
function checkOut(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wm-earlier-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  execFileSync('tar', ['-x', '-C', directory], { input: git('archive', EARLIER) });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  execFileSync(process.execPath, [join(directory, 'scripts/bundle-wrapper.ts')], { stdio: 'pipe' });
  return join(directory, 'src/main.ts');
}

test('workers and pools of an earlier version are taken over, and no body is restarted', {
  timeout: 300_000,
}, async ({ skip }) => {
  if (!hasEarlier()) {
    const why = `Commit ${EARLIER.slice(0, 7)} is not in this repository, as in a shallow clone: \`git fetch --unshallow\` gets it.`;
    console.log(why);
    skip(why);
  }
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const home = mkdtempSync(join(tmpdir(), 'wm-upgrade-'));
  const dockerHost = inject('dockerHost');
  const docker = dockerAt(dockerHost);
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  const keys = getKeys(cell);
  const env = {
    RUNTIME: 'auto',
    DOCKER_HOST: dockerHost.startsWith('/') ? `unix://${dockerHost}` : dockerHost,
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
    WORKER_BASE_IMAGE: inject('baseImage'),
    RESYNC_SECONDS: '1',
  };
  const options = { redisUrl, cell, home, env };
  // Its image stays in the daemon, like those of other tests.
  onTestFinished(async () => {
    await wmOf(options).wm('dismantle', '--force');
    await cleanCell({ redisUrl, cell, home });
  });

  const send = (command: object) => redis.xadd(keys.commands, '*', 'data', JSON.stringify(command));
  const status = (id: string) => redis.hgetall(keys.status(id));
  const answers = async (id: string) => {
    const entries = await redis.xrange(keys.output(id), '-', '+');
    return entries.map(([, [, data]]) => (JSON.parse(data ?? '{}') as { content?: string }).content);
  };
  const prompt = (id: string, content: string) =>
    redis.xadd(keys.input(id), '*', 'data', JSON.stringify({ type: 'prompt', content, request_id: content }));

  const earlier = await startManager({ ...options, main: checkOut() });
  for (const [runtime, worker_id] of Object.entries(IDS))
    await send({
      command: 'create',
      request_id: worker_id,
      worker_id,
      agent_type: 'CUSTOM',
      runtime,
      restart_policy: 'always',
      command_line: ['sh', '-c', 'while read -r line; do echo "you said: $line"; done'],
    });
  await send({
    command: 'apply',
    request_id: 'pool',
    pool: {
      name: 'pair',
      execution_mode: { docker: 1, direct: 1 },
      template: { agent_type: 'CUSTOM', command_line: ['cat'] },
    },
  });
  const workers = () => redis.zrange(keys.workers, '0', '-1');
  const running = async () => {
    const all = await Promise.all((await workers()).map(status));
    return all.filter((one) => one.status === 'RUNNING').length;
  };
  await expect.poll(running, WAIT).toBe(4);
  for (const id of Object.values(IDS)) await prompt(id, 'before');
  for (const id of Object.values(IDS))
    await expect.poll(() => answers(id), WAIT).toContain('you said: before');

  /** What a restart of a body would change. */
  const bodies = async () =>
    Object.fromEntries(
      await Promise.all(
        (await workers()).sort().map(async (id) => {
          const { body_id = '', pid, incarnation, restarts, runtime } = await status(id);
          const State =
            runtime === 'docker' ? (await docker.getContainer(body_id).inspect()).State : undefined;
          return [id, { body_id, incarnation, restarts, pid: pid ?? State?.Pid, started: State?.StartedAt }];
        }),
      ),
    );
  const before = await bodies();
  expect(Object.keys(before)).toHaveLength(4);
  expect(await earlier.stop()).toBe(0);

  const now = await startManager(options);
  await expect.poll(now.log, WAIT).toMatch(/"adopted":4\b.*"recovered"/);
  // Two more resyncs and a turn in each: whatever would be restarted has been by then.
  for (const id of Object.values(IDS)) await prompt(id, 'after');
  for (const id of Object.values(IDS))
    await expect.poll(() => answers(id), WAIT).toContain('you said: after');
  await expect.poll(() => resyncs(now.url, now.headers), WAIT).toBeGreaterThan(3);
  expect(await bodies()).toEqual(before);
  expect(await redis.hget(keys.identity, 'format')).toBe('1');

  expect(await now.stop()).toBe(0);
});

async function resyncs(url: string, headers: Record<string, string>): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(/^worker_manager_resync_duration_seconds_count (\d+)/m.exec(text)?.[1] ?? 0);
}
