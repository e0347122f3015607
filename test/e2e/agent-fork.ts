/** Forks of a worker with a real agent: its conversation and its files. */
import { expect, test, vi } from 'vitest';
import { PATIENCE } from '../support/patience.ts';
import type { AgentWorker, TurnEntries } from './agent-worker.ts';
import type { RealAgent, Scene } from './agents.ts';

/** `worker` has had a few turns, in which it was given a name. */
export function forkAgent(agent_type: RealAgent, subject: () => { scene: Scene; worker: AgentWorker }): void {
  const countIn = ({ end }: TurnEntries) => Number(/\d+/.exec(String(end.result))?.[0]);
  const checkpoint = async (id: string) => {
    const handle = await subject().scene.client().workers.get(id);
    return (await handle.checkpoint()).checkpoint_id;
  };
  const fork = async (from_checkpoint: string) => {
    const { scene } = subject();
    const worker = await scene.create({ agent_type, modules: ['GIT'], from_checkpoint });
    await worker.running();
    return worker;
  };
  const read = ({ entries }: TurnEntries) => entries.find(({ type }) => type === 'tool_result')?.content;
  const lastQuestion = () =>
    JSON.stringify(
      subject()
        .scene.model.requests.filter(({ question }) => question?.errand === false)
        .at(-1)?.body,
    );

  test('a fork continues the conversation with the files, and the first worker on its own', async () => {
    const { scene, worker } = subject();
    const before = countIn(await worker.turn('[[run echo forked >fork-of]] [[count]]'));
    // At once: the conversation of the turn is a part of it.
    const next = await fork(await checkpoint(worker.id));
    const turn = await next.turn('[[run cat fork-of; echo own >own]] [[count]]');
    expect(read(turn)).toMatch(/^forked$/m);
    expect([countIn(turn), turn.end.incarnation]).toEqual([before + 1, 1]);
    expect(lastQuestion()).toContain('Ada is my name.');
    expect(countIn(await next.turn('[[count]]'))).toBe(before + 2);
    const own = await worker.turn('[[run ls]] [[count]]');
    expect(read(own)).not.toContain('own');
    expect(countIn(own)).toBe(before + 1);
    await scene.command({ command: 'delete', worker_id: next.id });
  });

  test('a fork of a worker that ended after its only prompt knows that prompt', async () => {
    const { scene } = subject();
    const only = await scene.create({
      agent_type,
      modules: ['GIT'],
      prompt: 'The tide is high. [[run echo only >only]] [[count]]',
      exit_after_prompt: true,
      checkpoint: { on: ['stop'] },
    });
    await only.event(({ status }) => status === 'STOPPED');
    const list = () => scene.client().checkpoints.list({ workerId: only.id });
    const { items } = await vi.waitFor(async () => {
      const page = await list();
      expect(page.items).toHaveLength(1);
      return page;
    }, PATIENCE);
    const next = await fork(items[0]?.checkpoint_id ?? '');
    const turn = await next.turn('[[run cat only]] [[count]]');
    expect(read(turn)).toMatch(/^only$/m);
    expect(countIn(turn)).toBe(2);
    expect(lastQuestion()).toContain('The tide is high.');
    for (const { id } of [only, next]) await scene.command({ command: 'delete', worker_id: id });
  });
}
