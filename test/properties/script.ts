/** Scripts of faults, as data that fast-check can generate and shrink, and the effect of each line. */
import fc from 'fast-check';
import { Manager, type Mishap } from './manager.ts';
import { CELL, WORKERS, type World } from './world.ts';

type Line =
  | { does: 'create' | 'take over' | 'running' | 'replaced' | 'stopped' | 'deleted'; worker: string }
  | { does: 'pass' | 'exit' | 'oom' | 'hang' | 'vanish' | 'lose memo' | 'lose heartbeat'; worker: string }
  | {
      does:
        | 'look around'
        | 'beat'
        | 'fall silent'
        | 'down'
        | 'up'
        | 'freeze list'
        | 'thaw list'
        | 'lose image'
        | 'end build'
        | 'fail build'
        | 'let go'
        | 'late calls act';
    }
  | { does: 'another manager' | 'restart' | 'the deposed continues' }
  | { does: 'mishap'; what: Mishap; nth: number; on: string | undefined }
  | { does: 'time'; ms: number };
export interface Script {
  /** Bodies that only SIGKILL ends. */
  stubborn: boolean;
  lines: Line[];
}

/** Most scripts are about one or two of them, so that misfortunes meet. */
const worker = fc.oneof(
  { weight: 4, arbitrary: fc.constant(WORKERS[0] ?? '') },
  { weight: 3, arbitrary: fc.constant(WORKERS[1] ?? '') },
  { weight: 2, arbitrary: fc.constantFrom(...WORKERS) },
);
const about = <T extends Line['does']>(...verbs: T[]) =>
  fc.record({ does: fc.constantFrom(...verbs), worker }) as fc.Arbitrary<Line>;
const plainly = <T extends Line['does']>(...verbs: T[]) =>
  fc.record({ does: fc.constantFrom(...verbs) }) as fc.Arbitrary<Line>;
const mishaps: Mishap[] = ['die before', 'die after', 'fail before', 'fail after', 'hold', 'late', 'late'];

const line: fc.Arbitrary<Line> = fc.oneof(
  {
    weight: 6,
    arbitrary: about('create', 'create', 'take over', 'running', 'replaced', 'stopped', 'deleted'),
  },
  { weight: 8, arbitrary: about('pass') },
  { weight: 4, arbitrary: about('exit', 'oom', 'hang', 'vanish', 'lose memo', 'lose heartbeat') },
  { weight: 10, arbitrary: plainly('look around') },
  { weight: 3, arbitrary: plainly('beat', 'fall silent') },
  { weight: 3, arbitrary: plainly('down', 'up', 'freeze list', 'thaw list') },
  { weight: 3, arbitrary: plainly('lose image', 'end build', 'fail build') },
  { weight: 5, arbitrary: plainly('let go', 'late calls act', 'the deposed continues') },
  { weight: 4, arbitrary: plainly('another manager', 'restart') },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('mishap' as const),
      what: fc.constantFrom(...mishaps),
      nth: fc.integer({ min: 1, max: 12 }),
      on: fc.constant(undefined),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('mishap' as const),
      what: fc.constantFrom(...mishaps),
      nth: fc.integer({ min: 1, max: 2 }),
      on: fc.constantFrom(
        'create',
        'start',
        'terminate',
        'kill',
        'remove',
        'find',
        'list',
        'record',
        'purge',
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ does: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 90_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('time' as const), ms: fc.constantFrom(-900_000, 900_000) }),
  },
);

export const scripts: fc.Arbitrary<Script> = fc.record({
  stubborn: fc.boolean(),
  lines: fc.array(line, { minLength: 1, maxLength: 40, size: 'max' }),
});

/** Runs a script; returns the manager that leads at its end. */
export async function play({ lines }: Script, world: World): Promise<Manager> {
  let leader = new Manager(world);
  let deposed: Manager | undefined;
  const { engine, store } = world;
  for (const one of lines) {
    // A manager that has died is started again, as an orchestrator of processes would.
    if (!leader.alive) leader = new Manager(world);
    if (!world.silent) world.beat();
    switch (one.does) {
      case 'create':
      case 'take over':
      case 'running':
      case 'replaced':
      case 'stopped':
      case 'deleted':
        await world.command(leader.epoch, one.does, one.worker);
        await leader.pass(one.worker);
        break;
      case 'pass':
        await leader.pass(one.worker);
        break;
      case 'look around':
        await leader.lookAround();
        break;
      case 'another manager':
        deposed = leader;
        leader = new Manager(world);
        await leader.lookAround();
        break;
      case 'restart':
        leader.alive = false;
        await leader.letGo();
        leader = new Manager(world);
        break;
      case 'the deposed continues':
        await deposed?.letGo();
        await deposed?.lookAround();
        break;
      case 'let go':
        await leader.letGo();
        break;
      case 'late calls act':
        await lateCallsAct(world);
        break;
      case 'mishap':
        leader.plan(one.what, one.nth, one.on);
        break;
      case 'exit':
      case 'oom': {
        const live = world.live(one.worker);
        if (live)
          engine.exit(live.id, one.does === 'oom' ? { exit_code: 137, oom_killed: true } : { exit_code: 1 });
        break;
      }
      case 'hang': {
        const live = world.live(one.worker);
        if (live) world.stopped.add(live.id);
        break;
      }
      case 'vanish': {
        const [body] = engine.bodiesOf(CELL, one.worker);
        if (body) engine.vanish(body.id);
        break;
      }
      case 'lose memo':
        store.loseMemo(one.worker);
        break;
      case 'lose heartbeat':
        store.beat(one.worker, undefined);
        break;
      case 'beat':
      case 'fall silent':
        world.silent = one.does === 'fall silent';
        break;
      case 'down':
      case 'up':
        engine.faults.down = one.does === 'down';
        break;
      case 'freeze list':
        engine.freezeList(CELL);
        break;
      case 'thaw list':
        engine.faults.staleList = undefined;
        break;
      case 'lose image':
        world.loseImage();
        break;
      case 'end build':
      case 'fail build':
        world.endBuild(one.does === 'end build');
        break;
      case 'time':
        world.now += one.ms;
        break;
    }
  }
  for (const manager of [deposed, leader]) {
    manager?.spare();
    await manager?.letGo();
  }
  return leader;
}

export async function lateCallsAct(world: World): Promise<void> {
  const calls = world.late;
  world.late = [];
  // The result of a call that comes too late is not checked any more.
  for (const call of calls) await call().catch(() => undefined);
}
