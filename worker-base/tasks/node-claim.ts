/**
 * The claim of a node on its name. Nodes that are started manually choose their own names, so two of them may
 * choose the same one; the second would write to the streams of the first and be mistaken for it.
 *
 * Invariant: of the processes with one name, only one has the claim and works. A claim is renewed while its
 * holder lives and expires soon after, so a node that crashed can come back under its name.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { ExtraCommand } from '../streams/output-sender.ts';

/** Time between two renewals; a second process with the same name is rejected within one of them. */
const RENEW_MS = 2000;
/** A holder that is silent for this long is dead: four renewals. */
const CLAIM_MS = 8000;
const POLL_MS = 250;

/** Takes a claim that is free or ours, and renews it; otherwise returns the holder and its remaining time. */
const TAKE = `
local held = redis.call('GET', KEYS[1])
if not held then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  return {held, redis.call('PTTL', KEYS[1])}
end
return {}`;

/** Gives up a claim that is still ours. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/** The stored data of a name's holder. */
interface Holder {
  /** Unique to this process. */
  token: string;
  host: string;
  since: string;
}

export type ClaimResult = { taken: true } | { taken: false; message: string | undefined };

export class NodeClaim {
  readonly #key: string;
  readonly #id: string;
  readonly #mine: string;
  #timer: NodeJS.Timeout | undefined;
  /** Another process has the name now, so nothing may be written under it any more. */
  lost = false;

  constructor(key: string, id: string) {
    this.#key = key;
    this.#id = id;
    const holder: Holder = { token: randomUUID(), host: hostname(), since: new Date().toISOString() };
    this.#mine = JSON.stringify(holder);
  }

  /**
   * Waits for the claim. If its holder renews it, the holder is alive, and a message for users is returned.
   * Otherwise the claim expires. `message` is undefined if `signal` ended the wait. `onWait` is called once
   * if there is something to wait for.
   */
  async take(redis: Redis, signal: AbortSignal, onWait: (seconds: number) => void): Promise<ClaimResult> {
    let first: { held: string; left: number } | undefined;
    while (!signal.aborted) {
      const reply = await this.#tryTake(redis).catch(() => undefined);
      if (reply?.length === 0) return { taken: true };
      const [held, left] = reply ?? [];
      if (held !== undefined && left !== undefined) {
        if (!first) onWait(Math.ceil(left / 1000));
        else if (held !== first.held || left > first.left)
          return { taken: false, message: this.#refusal(held) };
        first = { held, left };
      }
      await pause(POLL_MS, signal);
    }
    return { taken: false, message: undefined };
  }

  /** Renews the claim from now on; `onLost` is called once, if another process has it. */
  keep(redis: Redis, onLost: (message: string) => void): void {
    this.#timer = setInterval(async () => {
      if (redis.status !== 'ready' || this.lost) return;
      // A renewal that fails is followed by the next one.
      const [held] = (await this.#tryTake(redis).catch(() => undefined)) ?? [];
      if (held === undefined || this.lost) return;
      this.lost = true;
      clearInterval(this.#timer);
      onLost(this.#refusal(held));
    }, RENEW_MS);
  }

  /** Stops the renewal; returns the commands that release the name immediately. */
  release(): ExtraCommand[] {
    clearInterval(this.#timer);
    return this.lost ? [] : [['EVAL', RELEASE, '1', this.#key, this.#mine]];
  }

  /** Releases the name; if Redis is away, the claim expires instead. */
  async drop(redis: Redis): Promise<void> {
    for (const [name, ...args] of this.release()) await redis.call(name, ...args).catch(() => {});
  }

  #tryTake(redis: Redis): Promise<[held?: string, left?: number]> {
    return redis.eval(TAKE, 1, this.#key, this.#mine, CLAIM_MS) as Promise<[string?, number?]>;
  }

  #refusal(held: string): string {
    return (
      `WORKER_ID is "${this.#id}", and another running node has this name${describeHolder(held)}. ` +
      'Give each node its own WORKER_ID, or unset it to use the host name.'
    );
  }
}

function describeHolder(held: string): string {
  try {
    const { host, since } = JSON.parse(held) as Partial<Holder>;
    return ` (on the host ${String(host).slice(0, 64)}, since ${String(since).slice(0, 40)})`;
  } catch {
    return '';
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
