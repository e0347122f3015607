/**
 * Submits commands to the stream for the manager's own HTTP API, like any orchestrator. The leader answers
 * them, which may be a different manager.
 */
import { randomUUID } from 'node:crypto';
import { type CommandResponse, Fault, toCommandEntry } from '../model/index.ts';
import { connectBlocking, type Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { readStream } from './stream.ts';

export interface CommandClient {
  /**
   * Returns the answer, or throws a rejection as its Fault; `unavailable` if there is no answer within `ms`.
   */
  send(fields: { command: string; request_id?: string }, ms?: number): Promise<CommandResponse>;
  close(): void;
}

/** Timeout of an answer in milliseconds: a leader answers immediately, a new one within its lease. */
const RESPONSE_MS = 10_000;
/** Expiry of an unread answer stream in milliseconds. */
const STREAM_MS = 60_000;

export function createCommandClient(redis: Link, keys: Keys, url: string): CommandClient {
  const open = new Set<ReturnType<typeof connectBlocking>>();
  return {
    async send(fields, ms = RESPONSE_MS) {
      const reply_to = `worker:responses:http-${randomUUID()}`;
      const command = { request_id: randomUUID(), ...fields, reply_to };
      const entry = toCommandEntry(command);
      const reader = connectBlocking(url);
      reader.on('error', () => {});
      open.add(reader);
      const signal = AbortSignal.timeout(ms);
      signal.addEventListener('abort', () => reader.disconnect());
      try {
        await redis.xadd(keys.commands, '*', 'data', entry);
        for await (const { data } of readStream(reader, reply_to, { from: '0', follow: true, signal }))
          return checked(data as CommandResponse);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        reader.disconnect();
        open.delete(reader);
        void redis.pexpire(reply_to, STREAM_MS).catch(() => {});
      }
      throw new Fault(
        'unavailable',
        `No manager responded within ${ms / 1000} s; the command will run when a manager leads.`,
      );
    },
    close() {
      for (const reader of open) reader.disconnect();
    },
  };
}

function checked(answer: CommandResponse): CommandResponse {
  if (answer.success) return answer;
  const {
    code = 'internal',
    message = 'The manager refused the command without a reason.',
    issues,
  } = answer.error ?? {};
  throw new Fault(code, message, issues ? { issues } : {});
}
