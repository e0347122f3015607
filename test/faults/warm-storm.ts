/**
 * A storm over workers that use claimed warm bodies: bursts of creates, and all kinds of failures of bodies,
 * wrappers, keys and managers, in an order determined by one seed. Events are recorded, and the test compares
 * them with the world.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { waiting } from '../pools/warm/waiting.ts';
import { chances } from '../support/chances.ts';
import type { Manager } from '../support/manager.ts';
import { pidsWith, signal } from '../support/processes.ts';
import type { FaultWorld, RuntimeUnderTest } from './world.ts';

export const POOL = 'agents';

/** A requested worker, and what was done to it. */
export interface Asked {
  id: string;
  policy: 'never' | 'on-failure' | 'always';
  headless: boolean;
  prompts: string[];
  requests: string[];
  /** Its body, wrapper or keys were harmed, or it was asked to end: what its policy allows may follow. */
  harmed: boolean;
  told: 'running' | 'stopped' | 'deleted';
  /** By command: then whatever its policy, it may be asked again. */
  restarted: boolean;
}

export interface Storm {
  asked: Asked[];
  /** Workers, warm ones too, whose bodies were harmed, and those bodies as histories name them. */
  harmed: Set<string>;
  /** What was done, in order, for people. */
  log: string[];
}

export interface StormOptions {
  world: FaultWorld;
  runtime: RuntimeUnderTest;
  seed: number;
  creates: number;
  warm: number;
  restarts: number;
  env: Record<string, string>;
  /** Where agents record their prompts. */
  ledger: string;
}

/**
 * Records each prompt before it answers, so that a repeated prompt is detected, whatever was killed
 * meanwhile.
 */
const agent = (ends: string) => [
  'sh',
  '-c',
  `while read -r line; do [ -d "$LEDGER" ] && echo "$line" >> "$LEDGER/$WORKER_ID"; echo "answer $line"; done; ${ends}`,
];

/** Lets it pass over the world; every stopped wrapper continues when it ends. */
export async function storm(options: StormOptions): Promise<Storm> {
  const { world, runtime, seed, creates, warm, env } = options;
  const { cell } = world;
  const { keys } = cell.store;
  const next = chances(seed);
  const below = (count: number) => Math.floor(next() * count);
  const one = <T>(from: readonly T[]): T | undefined => from[below(from.length)];
  const done: Storm = { asked: [], harmed: new Set(), log: [] };
  const say = (what: string) => void done.log.push(`${Date.now() % 1_000_000} ${what}`);
  const frozen = new Map<string, () => void>();
  let manager: Manager = await world.start(undefined, env);

  const create = async (): Promise<void> => {
    const id = randomUUID();
    const headless = below(3) === 0;
    const policy =
      one(headless ? (['never', 'on-failure'] as const) : (['never', 'on-failure', 'always'] as const)) ??
      'never';
    const prompts = headless || below(2) === 0 ? [`first-${id}`] : [];
    const request = await world.create(id, {
      command_line: agent(''),
      restart_policy: policy,
      env: { LEDGER: options.ledger },
      ...(prompts[0] && { prompt: prompts[0] }),
      ...(headless && { exit_after_prompt: true }),
      ...(below(4) === 0 && { secrets: ['TOKEN'] }),
      ...(below(4) === 0 && { resources: { pids: 200 + below(100) } }),
      ...(below(4) === 0 && { instructions: 'Be brief.' }),
      stop_grace_seconds: 2,
      keep_finished_seconds: 600,
    });
    const mine: Asked = {
      id,
      policy,
      headless,
      prompts,
      requests: [request],
      harmed: false,
      told: 'running',
      restarted: false,
    };
    done.asked.push(mine);
    say(`create ${id} ${policy}${headless ? ' headless' : ''}`);
    if (!headless && below(3) === 0) {
      const content = `more-${id}`;
      mine.prompts.push(content);
      await cell.redis.xadd(keys.input(id), '*', 'data', JSON.stringify({ type: 'prompt', content }));
    }
    if (below(8) === 0) await tell(mine);
  };

  const tell = async (mine: Asked): Promise<void> => {
    if (mine.told === 'deleted') return;
    const command = one(['delete', 'stop', 'restart'] as const) ?? 'stop';
    mine.harmed = true;
    if (command !== 'delete') mine.requests.push(await world.push({ command: 'stop', worker_id: mine.id }));
    mine.restarted ||= command === 'restart';
    if (command === 'restart') mine.requests.push(await world.push({ command: 'start', worker_id: mine.id }));
    if (command === 'delete') mine.requests.push(await world.push({ command, worker_id: mine.id }));
    mine.told = { delete: 'deleted', stop: 'stopped', restart: 'running' }[command] as Asked['told'];
    say(`${command} ${mine.id}`);
  };

  /** The body of one that waits, or of one that was asked for; what is done to it is done to whom it serves. */
  const victim = async () => {
    const body = one(await world.bodies());
    if (!body) return undefined;
    done.harmed.add(body.worker_id).add(body.id.slice(0, 12));
    return body;
  };
  const faults: Record<string, () => Promise<unknown>> = {
    'kill a body': async () => {
      const body = await victim();
      if (body) await world.runtime.kill(body.id).catch(() => {});
      return body?.worker_id;
    },
    'kill a wrapper': async () => {
      const body = await victim();
      for (const pid of body && runtime === 'process' ? pidsWith(body.worker_id) : []) signal(pid, 'SIGKILL');
      return body?.worker_id;
    },
    'freeze a wrapper': async () => {
      const body = await victim();
      // If it is already gone, nothing changes.
      const thaw = body && (await world.freeze(body.worker_id).catch(() => undefined));
      if (body && thaw) frozen.set(body.worker_id, thaw);
      return body?.worker_id;
    },
    'let one continue': async () => {
      const who = one([...frozen.keys()]);
      frozen.get(who ?? '')?.();
      frozen.delete(who ?? '');
      return who;
    },
    // Losing either one is harmless: both are restored.
    'lose a heartbeat': async () => {
      const id = one(done.asked)?.id ?? '';
      await cell.redis.del(keys.heartbeat(id));
      return id;
    },
    'lose a memo': async () => {
      const id = one(done.asked)?.id ?? '';
      await cell.redis.hdel(keys.status(id), 'memo');
      return id;
    },
    'notify one': async () => {
      const mine = one(done.asked);
      if (mine) await tell(mine);
      return mine?.id;
    },
  };
  const kinds = Object.keys(faults);
  const trouble = async () => {
    const kind = one(kinds) ?? '';
    say(`${kind}: ${await faults[kind]?.()}`);
  };

  const pool = { name: POOL, warm, execution_mode: runtime === 'docker' ? 'docker' : 'direct' };
  const template = { agent_type: 'CUSTOM', command_line: ['cat'] };
  await world.answer(await world.push({ command: 'apply', pool: { ...pool, template } }));
  const ends = new Set(Array.from({ length: options.restarts }, () => 1 + below(creates - 1)));
  while (done.asked.length < creates) {
    // Most of the creates must find one.
    await upTo(5000, async () => (await waiting(world)).length > below(warm));
    const stock = (await waiting(world)).length;
    const size = Math.min(stock + below(3), creates - done.asked.length);
    const before = done.asked.length;
    if (below(3) === 0) await trouble();
    for (let left = Math.max(1, size); left > 0; left -= 1) await create();
    // A random delay, not a wait for anything.
    await delay(below(2) === 0 ? below(12) : below(200));
    for (let left = below(4); left > 0; left -= 1) await trouble();
    if ([...ends].some((at) => at >= before && at < done.asked.length)) {
      say('the manager is killed');
      manager.kill('SIGKILL');
      await manager.exited;
      if (below(2) === 0) await trouble();
      manager = await world.start(undefined, env);
      say('and started again');
    }
  }
  for (const thaw of frozen.values()) thaw();
  say('over');
  return done;
}

/** Waits until the condition holds, or a timeout. */
async function upTo(ms: number, so: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline && !(await so())) await delay(50);
}
