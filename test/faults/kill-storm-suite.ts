/** What the storms of kills of both runtimes have in common. */
import { expect, onTestFinished, vi } from 'vitest';
import { findLosses, rage, type StormOptions, Writer } from './kill-storm.ts';
import type { FaultWorld } from './world.ts';

/** Kills in all storms together. */
export const KILLS = Number(process.env.STORM_KILLS ?? 300);
const SEED = Number(process.env.STORM_SEED ?? Date.now() % 1_000_000);
/** A kill takes a quarter of a second of two busy cores, or more. */
export const STORM_MS = 120_000 + KILLS * 2000;
const WRITERS = 5;
/** A turn may wait for the last of several restarts. */
const CALM = { timeout: 60_000, interval: 50 };

export interface StormPlan {
  world: FaultWorld;
  redisUrl: string;
  env?: Record<string, string>;
  spec?: object;
  kills: number;
  pauseMs: number;
  faults: StormOptions['faults'];
  /** The chance that a turn uses up the memory of its body. */
  eat?: number;
}

/** Passes a storm over a few agents, and expects that nothing was lost and nothing is left. */
export async function passStorm({
  world,
  redisUrl,
  kills,
  pauseMs,
  faults,
  ...plan
}: StormPlan): Promise<void> {
  const env = {
    RESTART_BACKOFF_SECONDS: '0.05',
    RESTART_BACKOFF_MAX_SECONDS: '0.2',
    // A busy machine must not take the lease away.
    LEASE_SECONDS: '3',
    ...plan.env,
  };
  const manager = await world.start(undefined, env);
  const writers = Array.from({ length: WRITERS }, () => new Writer(world, redisUrl));
  onTestFinished(() => writers.forEach((writer) => void writer.close()));
  for (const writer of writers) await writer.create(plan.spec ?? {});
  await Promise.all(writers.map((writer) => writer.prompt('turn 0')));

  const calm = new AbortController();
  const working = Promise.all(
    writers.map((writer) => writer.work(calm.signal, () => Math.random() < (plan.eat ?? 0))),
  );
  working.catch(() => {});
  const seed = SEED;
  const hits = await Promise.race([
    rage({ world, manager, env, seed, kills, pauseMs, writers, faults }),
    working.then(() => ({})),
  ]);
  calm.abort();
  await working;
  const found = await Promise.all(writers.map(findLosses));
  const turns = writers.flatMap(({ entries }) => entries.filter(({ type }) => type === 'turn_completed'));
  const failed = writers.flatMap(({ entries }) => entries.filter(({ type }) => type === 'turn_failed'));
  const cut = failed.filter(({ reason }) => reason === 'body_lost');
  const others = new Set(failed.map(({ reason, message }) => `${reason}: ${message}`));
  console.log(
    `seed ${seed}: ${JSON.stringify(hits)}; ${turns.length} turns completed, ${failed.length} failed, ${cut.length} of them with their body`,
    [...others],
  );
  expect(found.flat(), `seed ${seed}`).toEqual([]);
  expect(Object.values(hits).reduce((sum, count) => sum + count, 0)).toBe(kills);
  const replaced = writers.flatMap(({ entries }) =>
    entries.filter(({ type, resumed }) => type === 'ready' && resumed),
  );
  expect(replaced.length, 'bodies that continued').toBeGreaterThan(0);

  for (const { id } of writers) await world.push({ command: 'delete', worker_id: id });
  await vi.waitFor(async () => expect(await world.runtime.listWorkspaces()).toEqual([]), CALM);
  await vi.waitFor(async () => expect(await world.bodies()).toEqual([]), CALM);
}
