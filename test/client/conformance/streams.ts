import { expect, test } from 'vitest';
import { TurnFailed, type WorkerOutput } from '../../../src/client/index.ts';
import { all, take } from '../collect.ts';
import { AGENT, CAT } from '../scene.ts';
import { type ClientSubject, LONG, refusal } from './subject.ts';

export function testStreams(subject: ClientSubject): void {
  test('a turn yields its entries and has a result', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(AGENT, { wait: 'ready' });
    const turn = await worker.send('echo one; echo two');
    const types = (await all(turn)).map(({ type }) => type);
    expect(types).toEqual(['turn_started', 'tool_use', 'tool_result', 'message', 'turn_completed']);
    expect(await turn.result()).toMatchObject({ type: 'turn_completed', content: 'one\ntwo\n' });
    expect(await worker.turn(turn.requestId).result()).toMatchObject({ content: 'one\ntwo\n' });
    expect(await worker.send('echo three').result()).toMatchObject({ content: 'three\n' });
    const started = await take(worker.send('echo four'), 1);
    expect(started).toMatchObject([{ type: 'turn_started' }]);

    const endless = await worker.send('tail -f /dev/null');
    for await (const { type } of endless) if (type === 'tool_use') break;
    await endless.interrupt();
    const failed = await refusal(endless.result());
    expect(failed).toBeInstanceOf(TurnFailed);
    expect(failed).toMatchObject({ reason: 'interrupted' });
  });

  test('a turn of a worker that ends is reported', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(AGENT, { wait: 'ready' });
    const turn = await worker.send('tail -f /dev/null');
    for await (const { type } of turn) if (type === 'tool_use') break;
    await worker.stop();
    const error = await refusal(turn.result());
    expect(error instanceof TurnFailed ? error.reason : error?.code).toMatch(/^(stopped|conflict)$/);
  });

  test('a program without turns is read line by line', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const turn = await worker.send('hello');
    expect(await take(turn, 2)).toMatchObject([
      { type: 'turn_started' },
      { type: 'stdout', content: 'hello' },
    ]);
    expect(await refusal(turn.result())).toMatchObject({ code: 'unsupported', workerId: worker.id });
  });

  test('output is read by position, from the end, and until the worker ends', { timeout: LONG }, async () => {
    const { client } = subject();
    const command_line = ['sh', '-c', 'for n in 1 2 3 4; do read -r line; echo "$line"; done'];
    await using worker = await client.workers.create({ ...CAT, command_line }, { wait: 'ready' });
    const printed = async (items: AsyncIterable<WorkerOutput>) =>
      (await all(items)).filter(({ type }) => type === 'stdout').map(({ content }) => content);
    const positions: string[] = [];
    for (const line of ['one', 'two', 'three']) {
      for await (const { type, id } of await worker.send(line))
        if (type === 'stdout') {
          positions.push(id);
          break;
        }
    }
    const later = printed(worker.output({ since: positions[1] }));
    const last = printed(worker.output({ tail: 1 }));
    const fresh = printed(worker.output({ tail: 0 }));
    const recent = printed(worker.output({ since: '10m' }));
    const dated = printed(worker.output({ since: new Date(Date.now() + 3_600_000), follow: false }));
    expect(await printed(worker.output({ follow: false }))).toEqual(['one', 'two', 'three']);
    expect(await printed(worker.output({ tail: 1, follow: false }))).toEqual(['three']);
    await worker.send('four');
    expect(await later).toEqual(['three', 'four']);
    expect(await last).toEqual(['three', 'four']);
    expect(await fresh).toEqual(['four']);
    expect(await recent).toEqual(['one', 'two', 'three', 'four']);
    expect(await dated).toEqual([]);
    expect(await printed(worker.output())).toEqual(['one', 'two', 'three', 'four']);
    await worker.wait('ended');
    expect(worker.info).toMatchObject({ status: 'STOPPED', reason: 'Completed' });
    const history = await all(worker.events({ follow: false }));
    expect(history.at(-1)).toMatchObject({ status: 'STOPPED', reason: 'Completed' });
  });

  test('signals end waits and streams', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = refusal(worker.wait('ended', { signal: controller.signal }));
    const reading = refusal(all(worker.output({ signal: controller.signal })));
    setTimeout(() => controller.abort(reason), 300);
    expect(await waiting).toBe(reason);
    expect(await reading).toBe(reason);
    expect(await refusal(client.workers.get(worker.id, { signal: controller.signal }))).toBe(reason);
  });

  test('output continues over the death of the manager', { timeout: LONG }, async () => {
    const { client, scene } = subject();
    const command_line = ['sh', '-c', 'n=0; while [ $n -lt 60 ]; do echo $n; n=$((n+1)); sleep 0.05; done'];
    await using worker = await client.workers.create({ ...CAT, command_line }, { wait: 'running' });
    const seqs: number[] = [];
    const lines: string[] = [];
    let replaced: Promise<void> | undefined;
    for await (const { seq, type, content } of worker.output()) {
      seqs.push(seq);
      if (type === 'stdout') lines.push(...content.split('\n'));
      if (lines.length >= 10) replaced ??= scene.replace();
    }
    await replaced;
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));
    expect(lines).toEqual(Array.from({ length: 60 }, (_, at) => String(at)));
    await worker.wait('ended');
  });
}
