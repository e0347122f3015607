/** What a real agent that may do anything is put through; one worker for all of it, in this order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forkAgent } from './agent-fork.ts';
import { type AgentWorker, BUILD_MS } from './agent-worker.ts';
import { MODELS, openScene, type RealAgent, type Scene } from './agents.ts';
import { leaksOf } from './leaks.ts';

const INSTRUCTIONS = 'Write about the lighthouse at Skagen, and about nothing else.';

export function openAgent(agent_type: RealAgent): void {
  describe(`${agent_type}, which may execute everything`, () => {
    let scene: Scene;
    let worker: AgentWorker;
    beforeAll(async () => {
      scene = await openScene();
      const fields = { instructions: INSTRUCTIONS, modules: ['GIT'], restart_policy: 'on-failure' };
      worker = await scene.create({ agent_type, ...fields });
      await worker.running();
    }, BUILD_MS);
    afterAll(() => scene?.close(), 60_000);

    /** What the model was asked in the conversation; not beside it, as for a title. */
    const asked = () => scene.model.requests.filter(({ question }) => question?.errand === false);
    const countOf = async () => {
      const { end } = await worker.turn('[[count]]');
      await worker.committed();
      return Number(/\d+/.exec(String(end.result))?.[0]);
    };

    test('three turns share one conversation, which starts with the instructions', async () => {
      const first = await worker.turn('Ada is my name. [[run cat CLAUDE.md; cat AGENTS.md]] [[count]]');
      expect(first.entries.map(({ type }) => type)).toEqual([
        'turn_started',
        'tool_use',
        'tool_result',
        'message',
        'turn_completed',
      ]);
      const read = String(first.entries.find(({ type }) => type === 'tool_result')?.content);
      expect(read.split(INSTRUCTIONS)).toHaveLength(3);
      expect(JSON.stringify(asked()[0]?.body)).toContain(INSTRUCTIONS);
      await worker.turn('What did I say?');
      const third = await worker.turn('[[count]]');
      expect([first, third].map(({ end }) => [end.type, end.result])).toEqual([
        ['turn_completed', 'Prompts so far: 1.'],
        ['turn_completed', 'Prompts so far: 3.'],
      ]);
      expect(JSON.stringify(asked().at(-1)?.body)).toContain('Ada is my name.');
      expect(third.end.usage).toMatchObject({ input_tokens: 100, output_tokens: 20 });
      await worker.told(({ type, seq }) => type === 'waiting_for_input' && seq > third.end.seq);
    });

    test('a tool runs git in the workspace', async () => {
      const { entries, end } = await worker.turn('[[run git init -q . && pwd && git status]] [[say Clean.]]');
      const [use, result] = ['tool_use', 'tool_result'].map((wanted) =>
        entries.find(({ type }) => type === wanted),
      );
      expect(use?.content).toContain('git status');
      expect(result).toMatchObject({ is_error: false, tool_use_id: use?.tool_use_id });
      expect(result?.content).toMatch(/^\/workspace\n[\s\S]*No commits yet/);
      expect(end).toMatchObject({ type: 'turn_completed', result: 'Clean.' });
    });

    test('an interrupt ends the turn, even during a tool, and the next prompt works', async () => {
      const thinking = await worker.prompt('[[wait for-ever]]');
      await scene.model.waiting('for-ever');
      await worker.send({ type: 'interrupt' });
      const { end } = await worker.end(thinking);
      expect(end).toMatchObject({ type: 'turn_failed', reason: 'interrupted' });
      const working = await worker.prompt('[[run echo began; tail -f /dev/null]]');
      await worker.told(({ type, request_id }) => type === 'tool_use' && request_id === working);
      await worker.send({ type: 'interrupt' });
      expect((await worker.end(working)).end).toMatchObject({ type: 'turn_failed', reason: 'interrupted' });
      expect((await worker.turn('[[say Still here.]]')).end).toMatchObject({ result: 'Still here.' });
      const body = scene.docker.getContainer(await bodyOf());
      const processes = async () => (await body.top({ ps_args: 'axo pid,args' })).Processes.flat().join('\n');
      await expect.poll(processes, { timeout: 15_000 }).not.toMatch(/tail -f/);
    });

    test('a deadline ends the turn, and the next prompt works', async () => {
      const { end } = await worker.turn('[[wait for-ever]]', { deadline_seconds: 1 });
      expect(end).toMatchObject({ type: 'turn_failed', reason: 'deadline' });
      expect(end.duration_seconds).toBeGreaterThanOrEqual(1);
      expect((await worker.turn('[[say Still here.]]')).end).toMatchObject({ result: 'Still here.' });
    });

    test('a briefly overloaded endpoint only delays the turn, with a notice', async () => {
      const { end, entries } = await worker.turn('[[error 529 x1]] [[say At last.]]');
      expect(end).toMatchObject({ type: 'turn_completed', result: 'At last.' });
      expect(entries.filter(({ type }) => type === 'stderr')).not.toEqual([]);
    });

    test('a rejected credential fails the turn at once, but not the worker', async () => {
      const { end } = await worker.turn('[[error 401]]');
      expect(end).toMatchObject({ type: 'turn_failed', reason: 'authentication' });
      expect(end.duration_seconds).toBeLessThan(20);
      expect((await worker.turn('[[say Again.]]')).end).toMatchObject({ result: 'Again.' });
    });

    test('killing the manager during a turn does not affect the turn', async () => {
      const body = await bodyOf();
      const requestId = await worker.prompt('[[wait manager]] [[say Nevertheless.]]');
      await scene.model.waiting('manager');
      await scene.kill();
      scene.model.release('manager');
      expect((await worker.end(requestId)).end).toMatchObject({
        type: 'turn_completed',
        result: 'Nevertheless.',
      });
      await scene.restart();
      expect((await worker.turn('[[say And on.]]')).end).toMatchObject({ result: 'And on.', incarnation: 1 });
      const ends = worker.entries.filter((it) => it.request_id === requestId && it.type.startsWith('turn_'));
      expect(ends.map(({ type }) => type)).toEqual(['turn_started', 'turn_completed']);
      const status = await scene.command({ command: 'status', worker_id: worker.id });
      expect(status).toMatchObject({ status: 'RUNNING', incarnation: 1, restarts: 0 });
      expect(await bodyOf()).toBe(body);
    });

    const killBody = async () => scene.docker.getContainer(await bodyOf()).kill();

    test('after three turns and the death of its body, the fourth turn finds its files and its conversation', async () => {
      const before = await countOf();
      for (const name of ['one', 'two', 'three'])
        await worker.turn(`[[run mkdir -p kept && echo ${name} >kept/${name}]] [[say Written.]]`);
      await worker.committed();
      await killBody();
      await worker.running(2);
      const { entries, end } = await worker.turn('[[run cat kept/one kept/two kept/three]] [[count]]');
      const read = entries.find(({ type }) => type === 'tool_result');
      expect(read?.content).toMatch(/one\ntwo\nthree/);
      expect(end).toMatchObject({ incarnation: 2, result: `Prompts so far: ${before + 4}.` });
      expect(JSON.stringify(asked().at(-1)?.body)).toContain('Your environment was replaced');
      expect(worker.entries.findLast(({ type }) => type === 'ready')).toMatchObject({
        resumed: true,
        workspace_written_at: expect.any(String),
      });
    });

    test('after a body is killed during a turn, the next body continues it if the prompt says so', async () => {
      const before = await countOf();
      const requestId = await worker.prompt('[[wait body]] [[count]]', { retry: true });
      await scene.model.waiting('body');
      await killBody();
      scene.model.release('body');
      await worker.running(3);
      const { end } = await worker.end(requestId);
      expect(end).toMatchObject({
        type: 'turn_completed',
        incarnation: 3,
        result: `Prompts so far: ${before + 1}.`,
      });
      expect(JSON.stringify(asked().at(-1)?.body)).toContain('Ada is my name.');
      expect(worker.entries.map(({ seq }) => seq)).toEqual(worker.entries.map((_, at) => at + 1));
    });

    test('a turn that the death of the body cuts fails, and is not repeated', async () => {
      const before = await countOf();
      const requestId = await worker.prompt('[[wait lost]] [[say Never.]]');
      await scene.model.waiting('lost');
      await killBody();
      scene.model.release('lost');
      await worker.running(4);
      expect((await worker.end(requestId)).end).toMatchObject({ type: 'turn_failed', reason: 'body_lost' });
      expect(await countOf()).toBe(before + 1);
    });

    test('the credential reaches the model, and is stored nowhere else', async () => {
      const { sent, secret } = MODELS[agent_type];
      const { entries } = await worker.turn('[[run env; cat /proc/[0-9]*/environ | tr "\\\\0" "\\\\n"]]');
      const environment = String(entries.find(({ type }) => type === 'tool_result')?.content);
      expect(environment).toContain('HOME=/home/agent');
      expect(environment).not.toContain(scene.key);
      expect(new Set(asked().map(({ credential }) => credential))).toEqual(new Set([`${sent}${scene.key}`]));
      expect(await leaksOf(scene, await bodyOf())).toEqual([]);
      expect(scene.log()).toContain(worker.id);
      expect(process.env[secret]).not.toBe(scene.key);
    });

    forkAgent(agent_type, () => ({ scene, worker }));

    async function bodyOf(): Promise<string> {
      return (await scene.redis.hget(scene.keys.status(worker.id), 'body_id')) ?? '';
    }
  });
}
