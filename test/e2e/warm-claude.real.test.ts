/** Claude Code in a warm body: a complete agent whose instructions and credentials arrive late. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AgentWorker, BUILD_MS } from './agent-worker.ts';
import { openScene, type Scene } from './agents.ts';
import { leaksOf } from './leaks.ts';

const INSTRUCTIONS = 'Write about the lighthouse at Skagen, and about nothing else.';
/** Both kinds of image: an unrestricted and a locked one. */
const KINDS: [title: string, more: { allowed_commands?: string[] }][] = [
  ['everything', {}],
  ['only cat', { allowed_commands: ['cat'] }],
];

describe.each(KINDS)(
  'Claude Code, which may execute %s, taken over',
  { timeout: 120_000 },
  (_title, more) => {
    let scene: Scene;
    let worker: AgentWorker;
    let waited: string;

    const stock = () =>
      vi.waitFor(
        async () => {
          for (const id of await scene.redis.zrange(scene.keys.workers, '0', '-1')) {
            const [phase, body] = await scene.redis.hmget(scene.keys.status(id), 'phase', 'body_id');
            const spec = JSON.parse((await scene.redis.hget(scene.keys.desired(id), 'spec')) ?? '{}');
            if (spec.warm && phase === 'ready') return body ?? '';
          }
          throw new Error('No warm worker waits.');
        },
        { timeout: BUILD_MS, interval: 50 },
      );
    const bodyOf = async () => (await scene.redis.hget(scene.keys.status(worker.id), 'body_id')) ?? '';

    beforeAll(async () => {
      scene = await openScene();
      const template = { agent_type: 'CLAUDE', ...more };
      const pool = { name: 'agents', warm: 1, execution_mode: 'docker', template };
      expect(await scene.command({ command: 'apply', pool })).toMatchObject({ success: true });
      waited = await stock();
      worker = await scene.create({
        agent_type: 'CLAUDE',
        instructions: INSTRUCTIONS,
        restart_policy: 'on-failure',
        ...more,
        resources: { memory: '900m' },
      });
      await worker.running();
    }, BUILD_MS);
    afterAll(() => scene?.close(), 60_000);

    test('runs in that body, with its own instructions and credential', async () => {
      expect(await bodyOf()).toBe(waited);
      const { entries, end } = await worker.turn('[[run cat CLAUDE.md]] [[count]]');
      expect(end).toMatchObject({ type: 'turn_completed', result: 'Prompts so far: 1.', incarnation: 1 });
      expect(entries.find(({ type }) => type === 'tool_result')?.content).toContain(INSTRUCTIONS);
      const asked = scene.model.requests.filter(
        ({ body }) => Array.isArray(body?.tools) && body.tools.length > 0,
      );
      expect(JSON.stringify(asked[0]?.body?.messages)).toContain(INSTRUCTIONS);
      expect(worker.entries.map(({ seq }) => seq)).toEqual(worker.entries.map((_, at) => at + 1));
      const { HostConfig } = await scene.docker.getContainer(waited).inspect();
      expect(HostConfig.Memory).toBe(900 * 1024 ** 2);
      if (more.allowed_commands) {
        const refused = await worker.turn('[[run touch x]] [[say Done.]]');
        expect(refused.entries.map(({ type }) => type)).toContain('permission_denied');
      }
    });

    test('leaves its credential nowhere', async () => {
      expect(await leaksOf(scene, waited)).toEqual([]);
    });

    test('continues its conversation in a new body when that one is killed', async () => {
      await worker.committed();
      await scene.docker.getContainer(waited).kill();
      await worker.running(2);
      expect(await bodyOf()).not.toBe(waited);
      const before = more.allowed_commands ? 2 : 1;
      expect((await worker.turn('[[count]]')).end.result).toBe(`Prompts so far: ${before + 1}.`);
    });
  },
);
