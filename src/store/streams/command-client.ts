/**
 * Submits commands to the stream for the manager's own HTTP API, like any orchestrator. The leader answers
 * them, which may be a different manager. All answers come on one stream of this process. Commands that this process can
 * execute itself do not take this way.
 */
import { randomUUID } from 'node:crypto';
import { type CommandResponse, Fault, toCommandEntry } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { parse } from '../parse.ts';
import type { StreamHub } from './stream-hub.ts';

export interface CommandClient {
  /**
   * Returns the answer, or throws a rejection as its Fault; `unavailable` if there is no answer within `ms`.
   */
  send(fields: { command: string; request_id?: string }, ms?: number): Promise<CommandResponse>;
  close(): void;
}

/** Timeout of an answer in milliseconds: a leader answers immediately, a new one within its lease. */
const RESPONSE_MS = 10_000;
/** Expiry of an abandoned answer stream in milliseconds. */
const STREAM_MS = 60_000;
/** Number of answers after which those that were read are deleted. */
const TRIM_AFTER = 500;

/** The answers to this process: the stream, and who waits for which `request_id`. */
interface Inbox {
  replyTo: string;
  waiting: Map<string, ((answer: CommandResponse) => void)[]>;
  end: AbortController;
}

/** Executes a command in this process if it can; otherwise returns `undefined`. */
export type SendDirectly = (command: {
  command: string;
  request_id: string;
}) => Promise<CommandResponse | undefined>;

export function createCommandClient(
  redis: Link,
  keys: Keys,
  hub: StreamHub,
  sendDirectly?: SendDirectly,
): CommandClient {
  let inbox: Inbox | undefined;

  function openInbox(): Inbox {
    const replyTo = `worker:responses:http-${randomUUID()}`;
    const opened: Inbox = { replyTo, waiting: new Map(), end: new AbortController() };
    void receive(opened);
    return opened;
  }

  async function receive({ replyTo, waiting, end: { signal } }: Inbox): Promise<void> {
    let count = 0;
    for await (const entries of hub.read(replyTo, { from: '0', follow: true, signal })) {
      for (const { data } of entries) {
        // Others can write to the stream, too.
        const answer = parse(data) as CommandResponse | null | undefined;
        if (!answer) continue;
        // Repetitions of a command get the same answer, each its own entry.
        const id = answer.request_id ?? '';
        waiting.get(id)?.shift()?.(answer);
        if (waiting.get(id)?.length === 0) waiting.delete(id);
      }
      count += entries.length;
      if (count < TRIM_AFTER) continue;
      count = 0;
      await redis.xtrim(replyTo, 'MINID', entries.at(-1)?.id ?? '0').catch(() => {});
    }
  }

  /** A stream of answers that may be lost, for example with its store, is not used again. */
  function abandon(one: Inbox): void {
    if (inbox === one) inbox = undefined;
    if (one.waiting.size > 0) return;
    one.end.abort();
    void redis.pexpire(one.replyTo, STREAM_MS).catch(() => {});
  }

  return {
    async send(fields, ms = RESPONSE_MS) {
      const request = { request_id: randomUUID(), ...fields };
      const direct = await sendDirectly?.(request);
      if (direct) return checked(direct);
      inbox ??= openInbox();
      const mine = inbox;
      const { waiting, replyTo } = mine;
      const entry = toCommandEntry({ ...request, reply_to: replyTo });
      const { request_id } = request;
      const answered = Promise.withResolvers<CommandResponse | undefined>();
      const { resolve } = answered;
      const timer = setTimeout(() => resolve(undefined), ms);
      waiting.set(request_id, [...(waiting.get(request_id) ?? []), resolve]);
      try {
        await redis.xadd(keys.commands, '*', 'data', entry);
        const answer = await answered.promise;
        if (answer) return checked(answer);
      } finally {
        clearTimeout(timer);
        const left = (waiting.get(request_id) ?? []).filter((one) => one !== resolve);
        if (left.length === 0) waiting.delete(request_id);
        else waiting.set(request_id, left);
        if (mine !== inbox) abandon(mine);
      }
      abandon(mine);
      throw new Fault(
        'unavailable',
        `No manager responded within ${ms / 1000} s; the command will run when a manager leads.`,
      );
    },
    close() {
      if (inbox) abandon({ ...inbox, waiting: new Map() });
    },
  };
}

function checked(answer: CommandResponse): CommandResponse {
  if (answer.differs) {
    const what = `The Idempotency-Key ${answer.request_id} was used before, for another request (${answer.command}): use a new key.`;
    throw new Fault('conflict', what);
  }
  if (answer.success) return answer;
  const {
    code = 'internal',
    message = 'The manager refused the command without a reason.',
    issues,
  } = answer.error ?? {};
  throw new Fault(code, message, issues ? { issues } : {});
}
