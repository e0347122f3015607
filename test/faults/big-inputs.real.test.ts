import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openWorld, PATIENCE } from './world.ts';

const MB = 1024 ** 2;
const CLIENTS = 10;
const ROUNDS = 2;

/** The largest body that is allowed, with the most values: every one is read, checked and refused or queued. */
function largest(): string {
  const values = JSON.stringify(Array.from({ length: 49_000 }, (_, at) => at));
  const rest = 'x'.repeat(MB - values.length - 100);
  return JSON.stringify({ payload: { function: 'none.such', args: [JSON.parse(values), rest] } });
}

/** Asks for that URL again and again in a thread of its own, so that the test's own work does not count; its statuses. */
function probe(url: string) {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const statuses = [];
    let going = true;
    parentPort.once('message', () => { going = false; });
    (async () => {
      while (going) {
        statuses.push(await fetch(${JSON.stringify(url)}).then((response) => response.status, String));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      parentPort.postMessage(statuses);
    })();`;
  const thread = new Worker(code, { eval: true });
  onTestFinished(async () => void (await thread.terminate()));
  const statuses = new Promise<(number | string)[]>((resolve) => thread.once('message', resolve));
  return () => {
    thread.postMessage('stop');
    return statuses;
  };
}

test('ten clients with the largest bodies, and commands of 33 MB, affect neither the lease nor a probe', async () => {
  const world = await openWorld('process');
  const { redis, store } = world.cell;
  // A node for the queue of the tasks; otherwise they would be rejected before they are written.
  await redis.zadd(store.keys.nodes, Date.now(), 'by-hand');
  await redis.hset(store.keys.node('by-hand'), 'pool', 'default');
  // The default lease: when it writes 33 MB, this Redis, which waits for the disk, does not answer for a
  // second.
  const manager = await world.start(undefined, { API_TOKEN: 'let-me-in', LEASE_SECONDS: '10' });
  await vi.waitFor(() => expect(manager.log()).toContain('"recovered"'), PATIENCE);
  const lease = await redis.get(store.keys.leader);
  const stop = probe(`${manager.url}/livez`);

  const huge = JSON.stringify({ command: 'list', request_id: randomUUID(), name: 'x'.repeat(33 * MB) });
  const body = largest();
  const headers = { authorization: 'Bearer let-me-in' };
  const post = async () => {
    const response = await fetch(`${manager.url}/task/submit`, { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.status;
  };
  const sent = Array.from({ length: CLIENTS }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) expect(await post()).toBe(200);
  });
  const pushed = [await world.cell.push(huge), await world.cell.push(huge)];
  const worker = randomUUID();
  await world.create(worker);
  await Promise.all(sent);
  await world.reach(worker, { status: 'RUNNING' });

  const statuses = await stop();
  expect(statuses.length).toBeGreaterThan(5);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(await redis.get(store.keys.leader)).toBe(lease);
  expect(manager.log()).not.toContain('"standby"');
  const refused = (await world.cell.answers()).filter(({ entry_id }) => pushed.includes(String(entry_id)));
  expect(refused).toHaveLength(2);
});
