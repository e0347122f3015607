/** Agents of the user's own in containers, and a worker whose image cannot be built. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILD_MS } from './agent-worker.ts';
import { openScene, type Scene } from './agents.ts';

/** A minimal agent of the Agent Client Protocol: it echoes each prompt. */
const ACP = `
const say = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') say({ id, result: { protocolVersion: 1, agentCapabilities: {} } });
  if (method === 'session/new') say({ id, result: { sessionId: 's1' } });
  if (method !== 'session/prompt') return;
  const content = { type: 'text', text: 'You said: ' + params.prompt[0].text };
  const update = { sessionUpdate: 'agent_message_chunk', content };
  say({ method: 'session/update', params: { sessionId: 's1', update } });
  say({ id, result: { stopReason: 'end_turn' } });
});`;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene?.close(), 60_000);

test(
  'the example that uses JSON lines',
  async () => {
    const program = await readFile(new URL('../../examples/agent.mjs', import.meta.url), 'utf8');
    const command_line = ['node', '--input-type=module', '-e', program];
    const worker = await scene.create({ agent_type: 'CUSTOM', protocol: 'json', command_line });
    await worker.running();
    const { entries, end } = await worker.turn('id -u; pwd');
    expect(end).toMatchObject({ type: 'turn_completed', result: '10002\n/workspace\n' });
    expect(entries.map(({ type }) => type)).toEqual([
      'turn_started',
      'tool_use',
      'tool_result',
      'message',
      'turn_completed',
    ]);
    const forever = await worker.prompt('tail -f /dev/null');
    await worker.told(({ type, request_id }) => type === 'tool_use' && request_id === forever);
    await worker.send({ type: 'interrupt' });
    expect((await worker.end(forever)).end).toMatchObject({ type: 'turn_failed', reason: 'interrupted' });
  },
  BUILD_MS,
);

test(
  'one that uses ACP',
  async () => {
    const command_line = ['node', '-e', ACP];
    const worker = await scene.create({ agent_type: 'CUSTOM', protocol: 'acp', command_line });
    await worker.running();
    for (const prompt of ['one', 'two']) {
      const { end } = await worker.turn(prompt);
      expect(end).toMatchObject({ type: 'turn_completed', result: `You said: ${prompt}`, session_id: 's1' });
    }
  },
  BUILD_MS,
);

test(
  'a failed image build fails its worker, which reports the step',
  async () => {
    const worker = await scene.create({ agent_type: 'CLAUDE', agent_version: '0.0.1', secrets: [] });
    const failed = await worker.event(({ status }) => status === 'FAILED', BUILD_MS);
    expect(failed).toMatchObject({ reason: 'ImageBuildFailed', incarnation: 1 });
    // The step, and npm's message.
    expect(failed.message).toMatch(/[Ss]tep \d+\/\d+/);
    expect(failed.message).toMatch(/claude-code/);
    expect(failed.message).toMatch(/ETARGET|E404|No matching version/);
    const status = await scene.command({ command: 'status', worker_id: worker.id });
    expect(status).toMatchObject({ status: 'FAILED', reason: 'ImageBuildFailed', message: failed.message });
    expect(await scene.metric('image_builds_total')).toBeGreaterThanOrEqual(1);
  },
  BUILD_MS,
);

test(
  'a restart policy repeats the build with increasing delays',
  async () => {
    const fields = {
      agent_type: 'CLAUDE',
      agent_version: '0.0.1',
      restart_policy: 'on-failure',
      max_restarts: 1,
    } as const;
    const before = await scene.metric('image_builds_total');
    const worker = await scene.create({ ...fields, secrets: [] });
    await worker.event(({ status }) => status === 'FAILED', BUILD_MS);
    expect((await scene.metric('image_builds_total')) - before).toBeLessThanOrEqual(2);
    expect(worker.history.filter(({ phase }) => phase === 'backoff').length).toBeLessThanOrEqual(2);
  },
  BUILD_MS,
);
