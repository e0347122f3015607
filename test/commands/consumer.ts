/** A reader of commands for one test: what a leader runs, without the loop. */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { expect, onTestFinished, vi } from 'vitest';
import {
  type CommandContext,
  consumeCommands,
  DirectCreates,
  PendingCreates,
} from '../../src/commands/index.ts';
import { COMMAND_GROUP } from '../../src/store/index.ts';
import type { Cell } from '../store/cell.ts';

export const PATIENCE = { timeout: 50_000, interval: 10 };
/** All answers, once there are `count` of them. */
export const answered = (cell: Cell, count: number) =>
  vi.waitFor(async () => {
    const answers = await cell.answers();
    expect(answers.length).toBeGreaterThanOrEqual(count);
    return answers;
  }, PATIENCE);
/** How many commands were read and not settled. */
export const pending = async (cell: Cell) =>
  ((await cell.redis.xpending(cell.store.keys.commands, COMMAND_GROUP)) as [number])[0];

const LIMIT = { supported: true, how: 'pretended' };
const INFO = {
  name: 'process',
  version: 'fake',
  limits: { memory: LIMIT, cpus: LIMIT, pids: LIMIT },
} as const;

/** A machine with room and every secret, whose operator allows nothing beyond the usual. */
const ABLE: CommandContext['capabilities'] = {
  foreignImage: undefined,
  allowPrivileged: false,
  missingSecrets: async () => [],
  diskSpaceError: async () => undefined,
  missingHandlers: async () => [],
  imageUnavailableReason: async () => undefined,
};

export interface Consumer {
  /** Ends it as a leader's end would; rejects with what it threw. */
  stop(): Promise<void>;
  ended: Promise<void>;
  /** Workers of which it said that their record has changed. */
  changed: string[];
  poolsChanged: string[];
  /** Creates of the leader's own process, which it takes from `caughtUp` on. */
  direct: DirectCreates;
  caughtUp: Promise<void>;
}

export async function consume(
  cell: Cell,
  epoch?: number,
  {
    abilities,
    full,
    ...more
  }: {
    strandedMs?: number;
    onWanted?: (id: string) => void;
    onStreamLost?: () => void;
    full?: CommandContext['full'];
    abilities?: Partial<CommandContext['capabilities']>;
  } = {},
): Promise<Consumer> {
  const leading = epoch ?? (await cell.acquire());
  const end = new AbortController();
  const context: CommandContext = {
    store: cell.store,
    pools: cell.pools,
    runtimes: [{ name: 'process', info: INFO }],
    capabilities: { ...ABLE, ...abilities },
    now: Date.now,
    newId: randomUUID,
    full,
  };
  const changed: string[] = [];
  const poolsChanged: string[] = [];
  const options = {
    stream: cell.stream,
    epoch: leading,
    context,
    log: pino({ level: 'silent' }),
    onChanged: (id: string) => void changed.push(id),
    onPoolChanged: (name: string) => void poolsChanged.push(name),
    onSettled: () => undefined,
    creates: new PendingCreates(),
    ...more,
  };
  const direct = new DirectCreates();
  const reading = Promise.withResolvers<void>();
  let close: (() => void) | undefined;
  const onCaughtUp = () => {
    close ??= direct.open(options);
    reading.resolve();
  };
  const ended = consumeCommands({ ...options, onCaughtUp }, end.signal).finally(() => close?.());
  ended.catch(() => undefined);
  // A read that blocks is cut with its connection, as the end of a term does.
  end.signal.addEventListener('abort', () => cell.blocking.disconnect());
  const stop = async () => {
    // The reader ends at once, its connection a moment later.
    const cut = new Promise((resolve) => cell.blocking.once('end', resolve));
    const open = cell.blocking.status !== 'end';
    end.abort();
    await ended;
    if (open) await cut;
  };
  onTestFinished(() => stop().catch(() => undefined));
  return { stop, ended, changed, poolsChanged, direct, caughtUp: reading.promise };
}

export const createCommand = <T extends object>(more?: T) => ({
  command: 'create',
  request_id: randomUUID(),
  agent_type: 'CUSTOM',
  command_line: ['agent'],
  ...(more as T),
});
