/** What a real agent is put through that may execute git only; and agents that answer one prompt. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AgentWorker, BUILD_MS } from './agent-worker.ts';
import { openScene, type RealAgent, type Scene } from './agents.ts';

export function lockedAgent(agent_type: RealAgent): void {
  describe(`${agent_type}, which may execute git`, () => {
    let scene: Scene;
    let worker: AgentWorker;
    beforeAll(async () => {
      scene = await openScene();
      const lock = { modules: ['GIT', 'CURL'], allowed_commands: ['git'] };
      worker = await scene.create({ agent_type, ...lock, silence_timeout_seconds: 3 });
      await worker.running();
    }, BUILD_MS);
    afterAll(() => scene?.close(), 60_000);

    test('it knows its allowed commands, and works with them', async () => {
      const ready = await worker.told(({ type }) => type === 'ready');
      expect(ready).toMatchObject({ missing_commands: [] });
      expect(ready.enforcement).toEqual(expect.arrayContaining(['groups', 'read-only', 'noexec']));
      const { entries, end } = await worker.turn('[[run git init -q && git status]] [[say Clean.]]');
      expect(entries.find(({ type }) => type === 'tool_result')).toMatchObject({
        is_error: false,
        content: expect.stringContaining('No commits yet'),
      });
      expect(end).toMatchObject({ type: 'turn_completed', result: 'Clean.' });
      // Not beside the conversation, as for a title.
      const [asked] = scene.model.requests.filter(({ question }) => question?.errand === false);
      expect(JSON.stringify(asked?.body)).toMatch(/allowed|only/);
    });

    test('a denied program is refused, reported, counted, and not executed; the turn continues', async () => {
      const before = await scene.metric('permission_denied_total');
      // The hook alone is not enough: git would start it without the hook, and the system prevents that.
      const direct = `curl -s ${scene.model.url}/fetched`;
      const { entries, end } = await worker.turn(
        `[[run ${direct}]] [[run git -c alias.x='!${direct}' x]] [[say So be it.]]`,
      );
      expect(end).toMatchObject({ type: 'turn_completed', result: 'So be it.' });
      const denied = entries.filter(({ type }) => type === 'permission_denied');
      const uses = entries.filter(({ type }) => type === 'tool_use');
      expect(denied.map(({ tool_use_id }) => tool_use_id)).toEqual(
        uses.map(({ tool_use_id }) => tool_use_id),
      );
      for (const { content } of denied) expect(content).toMatch(/curl.*not in allowed_commands/);
      expect(scene.model.requests.filter(({ path }) => path === '/fetched')).toEqual([]);
      await vi.waitFor(
        async () => expect(await scene.metric('permission_denied_total')).toBe(before + denied.length),
        { timeout: 30_000, interval: 100 },
      );
    });

    test('a model that hangs fails the turn, and the conversation continues', async () => {
      await worker.turn('Ada is my name.');
      const { end } = await worker.turn('[[hang x1]]');
      expect(end).toMatchObject({ type: 'turn_failed', reason: 'silent' });
      expect(end.duration_seconds).toBeGreaterThanOrEqual(3);
      const next = await worker.turn('[[say Here again.]]');
      expect(next.end).toMatchObject({ type: 'turn_completed', result: 'Here again.', incarnation: 1 });
      const { body } = scene.model.requests.findLast(({ question }) => question) ?? {};
      expect(JSON.stringify(body)).toContain('Ada is my name.');
    });

    test(
      'one prompt and the end: completed, or failed',
      async () => {
        const fields = { agent_type, modules: ['GIT'], exit_after_prompt: true };
        const [good, bad] = await Promise.all([
          scene.create({ ...fields, prompt: '[[run echo done]] [[say It is done.]]' }),
          scene.create({ ...fields, prompt: '[[error 401]]' }),
        ]);
        const over = ({ status }: Record<string, unknown>) => status === 'STOPPED' || status === 'FAILED';
        await Promise.all([good, bad].map((each) => each.event(over, BUILD_MS)));
        const [exited, failed] = await Promise.all(
          [good, bad].map((each) => each.told(({ type }) => type === 'exited')),
        );
        expect(await scene.command({ command: 'status', worker_id: good.id })).toMatchObject({
          status: 'STOPPED',
          exit_code: 0,
          restarts: 0,
        });
        expect(good.entries.find(({ type }) => type === 'completed')).toMatchObject({
          content: 'It is done.',
          exit_code: 0,
        });
        expect(exited).toMatchObject({ exit_code: 0 });
        expect(await scene.command({ command: 'status', worker_id: bad.id })).toMatchObject({
          status: 'FAILED',
          exit_code: 1,
        });
        expect(bad.entries.filter(({ type }) => type === 'completed')).toEqual([]);
        expect(bad.entries.find(({ type }) => type === 'turn_failed')).toMatchObject({
          reason: 'authentication',
        });
        expect(failed).toMatchObject({ exit_code: 1 });
      },
      BUILD_MS,
    );

    test('a deleted worker is gone with all of its stored data', async () => {
      await scene.command({ command: 'delete', worker_id: worker.id });
      await worker.told(({ type }) => type === 'exited');
      await vi.waitFor(
        async () => {
          const filters = { label: [`worker-manager.worker-id=${worker.id}`] };
          expect(await scene.docker.listContainers({ all: true, filters })).toEqual([]);
          expect(await scene.redis.exists(scene.keys.conversation(worker.id))).toBe(0);
        },
        { timeout: 30_000, interval: 100 },
      );
    });
  });
}
