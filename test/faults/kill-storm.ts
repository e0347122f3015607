/**
 * A storm of kills over agents that write files in every turn. Whatever is killed, at whatever moment: only the turn that was
 * cut may be lost, and no file of a turn that has ended. The order of the faults is determined by one seed.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { connectBlocking } from '../../src/store/index.ts';
import { chances } from '../support/chances.ts';
import type { Manager } from '../support/manager.ts';
import type { FaultWorld } from './world.ts';

/** Files that the agent writes in each turn. */
const FILES = 3;
const TURN_MS = 60_000;

/**
 * `turn N` writes files of that turn, in steps that may be cut, `check N,N` returns the turns whose files are not complete, and
 * `eat` uses up the memory. Each turn begins with a message that says whether the agent got a notice that its environment was replaced.
 */
const AGENT = `
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const send = (entry) => process.stdout.write(JSON.stringify(entry) + '\\n');
const FILES = [...Array(${FILES}).keys()];
const nameOf = (turn, at) => 'turn-' + turn + '-' + at;
const textOf = (turn, at) => 'file ' + at + ' of turn ' + turn;
function isWhole(turn, at) {
  try {
    return readFileSync(nameOf(turn, at), 'utf8') === textOf(turn, at);
  } catch {
    return false;
  }
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function act({ id, content, notice }) {
  send({ type: 'message', content: notice ? 'with a notice' : 'without one' });
  const [verb, n] = content.split(' ');
  if (verb === 'check') {
    const journal = readFileSync('journal', 'utf8').split('\\n');
    const isLost = (turn) => journal.filter((line) => line === turn).length !== 1 || FILES.some((at) => !isWhole(turn, at));
    return send({ type: 'turn_completed', id, result: n.split(',').filter(isLost).join() });
  }
  if (verb === 'eat') for (const all = []; ; ) all.push(Buffer.alloc(4 << 20, 1));
  try {
    for (const at of FILES) {
      writeFileSync(nameOf(n, at), textOf(n, at));
      await pause(Math.random() * 20);
    }
    appendFileSync('journal', n + '\\n');
  } catch (error) {
    return send({ type: 'turn_failed', id, message: error.message });
  }
  send({ type: 'turn_completed', id, result: n });
}
let last = Promise.resolve();
require('node:readline').createInterface({ input: process.stdin })
  .on('line', (line) => { const prompt = JSON.parse(line); if (prompt.type === 'prompt') last = last.then(() => act(prompt)); })
  .on('close', () => process.exit(0));
`;

interface Entry {
  type: string;
  request_id?: string;
  incarnation: number;
  seq: number;
  content?: string;
  reason?: string;
  message?: string;
  result?: string;
  resumed?: boolean;
}

/** A worker that is prompted without pause, and everything that it has sent. */
export class Writer {
  readonly id = randomUUID();
  readonly entries: Entry[] = [];
  /** The prompts that were sent, by their request. */
  readonly prompts = new Map<string, string>();
  readonly #world: FaultWorld;
  readonly #reader: Redis;
  readonly #ends = new Map<string, (entry: Entry) => void>();

  constructor(world: FaultWorld, redisUrl: string) {
    this.#world = world;
    this.#reader = connectBlocking(redisUrl);
    this.#reader.on('error', () => {});
    void this.#follow().catch(() => {});
  }

  create(more: object): Promise<string> {
    return this.#world.create(this.id, {
      command_line: ['node', '-e', AGENT],
      protocol: 'json',
      restart_policy: 'always',
      stop_grace_seconds: 1,
      ...more,
    });
  }

  /** Sends a prompt; returns the end of its turn. */
  async prompt(content: string): Promise<Entry> {
    const request_id = randomUUID();
    this.prompts.set(request_id, content);
    const { promise, resolve } = Promise.withResolvers<Entry>();
    this.#ends.set(request_id, resolve);
    const { cell } = this.#world;
    const data = JSON.stringify({ type: 'prompt', content, request_id });
    await cell.redis.xadd(cell.store.keys.input(this.id), '*', 'data', data);
    const late = new AbortController();
    const lost = delay(TURN_MS, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new Error(`The turn "${content}" of ${this.id} has no end after ${TURN_MS / 1000} s.`);
    });
    try {
      return await Promise.race([promise, lost]);
    } finally {
      late.abort();
      lost.catch(() => {});
    }
  }

  /** Prompts until the signal fires; `eat` is the chance of a prompt that uses up the memory. */
  async work(signal: AbortSignal, eat: () => boolean): Promise<void> {
    for (let turn = 1; !signal.aborted; turn += 1) await this.prompt(eat() ? 'eat' : `turn ${turn}`);
  }

  close(): void {
    this.#reader.disconnect();
  }

  async #follow(): Promise<void> {
    const key = this.#world.cell.store.keys.output(this.id);
    for (let last = '0'; ; ) {
      const reply = await this.#reader.xread('BLOCK', 1000, 'STREAMS', key, last);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        last = id;
        const entry = JSON.parse(fields[1] ?? '') as Entry;
        this.entries.push(entry);
        if (isEnd(entry)) this.#ends.get(entry.request_id ?? '')?.(entry);
      }
    }
  }
}

const isEnd = ({ type }: Entry) => type === 'turn_completed' || type === 'turn_failed';

/** What was found wrong with a worker after the storm; nothing if all is well. */
export async function findLosses(writer: Writer): Promise<string[]> {
  const { entries, prompts } = writer;
  const losses: string[] = [];
  const ends = entries.filter(isEnd);
  for (const [request, content] of prompts) {
    const mine = ends.filter(({ request_id }) => request_id === request);
    if (mine.length !== 1) losses.push(`"${content}" has ended ${mine.length} times`);
    const [end] = mine;
    const known = end?.type === 'turn_completed' || end?.reason !== undefined;
    if (!known) losses.push(`"${content}" has failed without a reason`);
  }
  const whole = ends.filter(({ type }) => type === 'turn_completed').map(({ result = '' }) => result);
  const { result: lost } = await writer.prompt(`check ${whole.join()}`);
  if (lost !== '') losses.push(`of the files of these turns, some are lost: ${lost}`);
  for (const [at, { seq }] of entries.entries())
    if (at > 0 && seq <= (entries[at - 1]?.seq ?? 0)) losses.push(`entry ${seq} is out of order`);
  losses.push(...findUntold(entries));
  return losses;
}

/** Bodies after the first whose `ready` or whose first turn does not say that they continue. */
function findUntold(entries: readonly Entry[]): string[] {
  const untold: string[] = [];
  for (const ready of entries.filter(({ type }) => type === 'ready'))
    if (ready.incarnation > 1 && !ready.resumed) untold.push(`ready of ${ready.incarnation} is not resumed`);
  const bodies = new Map<number, Entry[]>();
  for (const entry of entries)
    bodies.set(entry.incarnation, [...(bodies.get(entry.incarnation) ?? []), entry]);
  for (const [incarnation, mine] of bodies) {
    const first = mine.find(({ type }) => type === 'message');
    if (first && incarnation > 1 !== (first.content === 'with a notice'))
      untold.push(`the first turn of ${incarnation} began ${first.content}`);
  }
  return untold;
}

export interface StormOptions {
  world: FaultWorld;
  /** The manager that runs when the storm begins. */
  manager: Manager;
  env: Record<string, string>;
  seed: number;
  kills: number;
  /** Longest time between two faults. */
  pauseMs: number;
  writers: Writer[];
  /** Faults beside those of managers, by name; each returns whether it hit anything. */
  faults: Record<string, (writer: Writer, one: <T>(from: readonly T[]) => T | undefined) => Promise<boolean>>;
}

/** Kills until the number is reached; returns how often each fault hit. */
export async function rage(options: StormOptions): Promise<Record<string, number>> {
  const { world, env, seed, kills, pauseMs, writers, faults } = options;
  const next = chances(seed);
  const one = <T>(from: readonly T[]): T | undefined => from[Math.floor(next() * from.length)];
  const hits: Record<string, number> = {};
  let { manager } = options;
  for (let count = 0; count < kills; ) {
    // A random moment of the agents' work, not a wait for anything.
    await delay(next() * pauseMs);
    if (next() < 0.04) {
      manager.kill('SIGKILL');
      await manager.exited;
      manager = await world.start(undefined, env);
      hits.manager = (hits.manager ?? 0) + 1;
      count += 1;
      continue;
    }
    const name = one(Object.keys(faults)) ?? '';
    const writer = one(writers);
    if (!writer || !(await faults[name]?.(writer, one))) continue;
    hits[name] = (hits[name] ?? 0) + 1;
    count += 1;
  }
  return hits;
}
