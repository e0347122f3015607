import { describe, expect, it } from 'vitest';
import type { TaskPriority } from '../../src/model/task/task.ts';
import { openWorld } from './world.ts';

describe('priorities', () => {
  it('put urgent tasks first, and older ones within a class', async () => {
    const { call, consumer, ended } = openWorld();
    const order: string[] = [];
    const given: [string, TaskPriority][] = [
      ...(['low-1', 'low-2'].map((id) => [id, 'low']) as [string, TaskPriority][]),
      ...(['normal-1', 'normal-2'].map((id) => [id, 'normal']) as [string, TaskPriority][]),
      ['high-1', 'high'],
      ['critical-1', 'critical'],
    ];
    for (const [task_id, priority] of given) await call('a', { task_id, priority });
    await consumer(async ({ task_id }) => void order.push(task_id)).start();
    for (const [task_id] of given) await ended(task_id);
    expect(order).toEqual(['critical-1', 'high-1', 'normal-1', 'normal-2', 'low-1', 'low-2']);
  });

  it('starve no class: one fetch in eight takes the task that has waited longest', async () => {
    const { call, consumer, ended } = openWorld();
    const order: string[] = [];
    for (let at = 0; at < 5; at += 1) await call('a', { task_id: `low-${at}`, priority: 'low' });
    for (let at = 0; at < 10; at += 1) await call('a', { task_id: `critical-${at}`, priority: 'critical' });
    let more = 10;
    // Each critical task brings another one: by rank alone, no low one would ever be taken.
    await consumer(async ({ task_id, priority }) => {
      order.push(task_id);
      if (priority === 'critical' && more < 200) {
        more += 1;
        await call('a', { task_id: `critical-${more - 1}`, priority: 'critical' });
      }
    }).start();
    for (let at = 0; at < 5; at += 1) await ended(`low-${at}`);
    const places = Array.from({ length: 5 }, (_, at) => order.indexOf(`low-${at}`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // The n-th of those that wait longest is taken within the n-th eight takes, or what was fetched before.
    for (const [at, place] of places.entries()) expect(place).toBeLessThan((at + 1) * 8 + 8);
    // The urgent ones keep seven of eight.
    const upTo = (places.at(-1) ?? 0) + 1;
    expect(order.slice(0, upTo).filter((id) => id.startsWith('critical')).length).toBeGreaterThanOrEqual(
      upTo * 0.8,
    );
  });
});
