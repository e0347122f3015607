/** The real Claude Code in a container, with the tools of its manager: it creates workers that may do no more than itself. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentWorker, BUILD_MS } from './agent-worker.ts';
import { openScene, type Scene } from './agents.ts';

const tool = (name: string, input: object) => `[[tool mcp__workers__${name} ${JSON.stringify(input)}]]`;

describe.each([
  ['may execute everything', {}],
  ['may execute cat only', { allowed_commands: ['cat'] }],
])('Claude Code in a worker that %s', (_, limits) => {
  let scene: Scene;
  let worker: AgentWorker;
  beforeAll(async () => {
    scene = await openScene({ tools: true });
    worker = await scene.create({
      agent_type: 'CLAUDE',
      secrets: ['ANTHROPIC_API_KEY', 'WM_TOKEN'],
      env: { WM_URL: scene.url() },
      ...limits,
    });
    await worker.running();
  }, BUILD_MS);
  afterAll(() => scene?.close(), 60_000);

  const results = async (...calls: string[]) => {
    const { entries, end } = await worker.turn([...calls, '[[say All done.]]'].join(' '));
    expect(end).toMatchObject({ type: 'turn_completed', result: 'All done.' });
    return entries
      .filter(({ type }) => type === 'tool_result')
      .map(({ content }) => JSON.parse(content.split('\n')[0] ?? ''));
  };

  test('it creates a worker, uses it and finds it in the list', { timeout: BUILD_MS }, async () => {
    const child = { agent_type: 'CUSTOM', command_line: ['cat'], name: 'child', wait_seconds: 240 };
    const [created, executed, listed] = await results(
      tool('create', child),
      tool('exec', { worker: 'child', command: ['cat'], stdin: 'hello' }),
      tool('list', {}),
    );
    expect(created).toMatchObject({ name: 'child', ready: true, runtime: 'docker' });
    expect(executed).toMatchObject({ exit_code: 0, stdout: 'hello' });
    expect(listed.workers).toMatchObject([{ worker_id: created.worker_id, parent: worker.id }]);
    const record = JSON.parse(
      (await scene.redis.hget(scene.keys.desired(created.worker_id), 'spec')) ?? '{}',
    ) as Record<string, unknown>;
    expect(record).toMatchObject({ labels: { 'worker-manager.mcp': worker.id }, ...limits });
    // After the manager has gone, the depth is still known, and the same token is valid.
    await scene.kill();
    await scene.restart();
  });

  test('it cannot get more than it has, nor use its own worker or others', {
    timeout: BUILD_MS,
  }, async () => {
    const child = { agent_type: 'CUSTOM', command_line: ['cat'] };
    const [secret, module, own, foreign] = await results(
      tool('create', { ...child, secrets: ['OPENAI_API_KEY'] }),
      tool('create', { ...child, modules: ['CURL'] }),
      tool('exec', { worker: worker.id, command: ['cat'] }),
      tool('delete', { worker: 'unknown' }),
    );
    expect(secret.error.issues).toMatchObject([{ path: 'secrets' }]);
    expect(module.error.issues).toMatchObject([{ path: 'modules' }]);
    expect(own.error.code).toBe('not_found');
    expect(foreign.error.code).toBe('not_found');
  });
});
