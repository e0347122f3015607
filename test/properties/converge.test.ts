import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from '../../src/reconcile/decide.ts';
import { Manager } from './manager.ts';
import { lateCallsAct, play, type Script, scripts } from './script.ts';
import { CELL, LIMITS, specOf, WORKERS, World } from './world.ts';

const RUNS = Number(process.env.FC_RUNS ?? 1000);
const SEED = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
/** Resyncs after the last fault, within which all has to settle. */
const ROUNDS = 40;

/** The faults end: late calls act, lists are true, the engine answers, wrappers report, and time passes. */
async function heal(world: World, last: Manager): Promise<Manager> {
  world.engine.faults.clear();
  last.spare();
  await lateCallsAct(world);
  const leader = last.alive ? last : new Manager(world);
  // A lost memo is not reported and needn't be: the next pass, whatever it is for, makes another.
  for (const worker of WORKERS) await leader.pass(worker);
  for (let round = 0; round < ROUNDS; round += 1) {
    world.beat();
    world.endBuild(true);
    await leader.lookAround();
    expect(leader.alive, 'a leader that was not deposed continues').toBe(true);
    const soon = world.now + 15_000;
    world.now = Math.max(soon, Math.min(leader.nextDue, world.now + 7_200_000));
  }
  world.beat();
  await leader.lookAround();
  return leader;
}

async function mustBeAtRest(world: World, worker: string): Promise<void> {
  const wanted = world.wanted.get(worker);
  const spec = specOf(worker);
  const bodies = world.engine.bodiesOf(CELL, worker);
  const loaded = await world.store.load(worker);
  const forgetful = spec.keep_finished_seconds < 86_400;
  if (wanted === undefined || wanted === 'deleted' || (forgetful && !loaded)) {
    expect({ loaded, bodies }).toEqual({ loaded: undefined, bodies: [] });
    expect(await world.store.index()).not.toHaveProperty(worker);
    return;
  }
  if (!loaded) throw new Error(`worker ${worker} is ${wanted} and has no record`);
  const { status } = loaded.record;
  if (wanted === 'stopped')
    expect({ bodies, status: status?.status }).toEqual({
      bodies: [],
      status: expect.stringMatching('STOPPED|FAILED'),
    });
  else if (status?.status === 'RUNNING') {
    expect(bodies).toMatchObject([{ state: 'running', incarnation: status.incarnation }]);
    const { min_incarnation = 0 } = loaded.record.desired;
    expect(status.incarnation, 'a restart has replaced its body').toBeGreaterThanOrEqual(min_incarnation);
  } else {
    expect(spec.restart_policy, 'what always restarts never ends').not.toBe('always');
    expect({ bodies, status: status?.status }).toEqual({
      bodies: [],
      status: expect.stringMatching('STOPPED|FAILED'),
    });
  }
  const [body] = bodies;
  const seen = {
    worker_id: worker,
    desired: loaded.record.desired,
    status,
    memo: loaded.record.memo,
    actual: body ? ({ kind: 'present', body } as const) : ({ kind: 'absent' } as const),
    heartbeat: loaded.heartbeat,
    action_error: undefined,
    now: world.now,
    watching_since: 0,
    limits: LIMITS,
  };
  const { intents, memo } = decide(seen);
  expect({ intents, memo }, 'nothing is left to be done').toEqual({ intents: [], memo: loaded.record.memo });
}

async function converges(script: Script): Promise<void> {
  const world = new World(script.stubborn);
  const leader = await heal(world, await play(script, world));
  for (const worker of WORKERS) await mustBeAtRest(world, worker);
  expect(world.engine.peakLive, 'never two live bodies of one worker').toBeLessThanOrEqual(1);
  // And it stays so, even for a manager that knows only the store.
  const before = JSON.stringify([await world.store.index(), world.engine.list(CELL)]);
  leader.alive = false;
  const next = new Manager(world);
  for (const ms of [1000, 60_000]) {
    world.now += ms;
    world.beat();
    await next.lookAround();
  }
  for (const worker of WORKERS) await mustBeAtRest(world, worker);
  expect(JSON.stringify([await world.store.index(), world.engine.list(CELL)])).toBe(before);
}

test(
  `whatever is lost, repeated, late or killed, the loop settles (FC_SEED=${SEED} FC_RUNS=${RUNS})`,
  async () => {
    await fc.assert(fc.asyncProperty(scripts, converges), { numRuns: RUNS, seed: SEED });
  },
  60_000 + RUNS * 60,
);
