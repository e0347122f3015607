/** Sends messages to workers for the HTTP API. */
import { createHash } from 'node:crypto';
import { computeDigest, type ExecMessage, type FileMessage, type InputMessage } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';

/** How long a repeated request is recognized; as long as a command. */
const REQUEST_MS = 86_400_000;
/** Maximum messages on one input, read or not; the leader drops those that were read when they exceed a budget in bytes. */
const MOST_MESSAGES = 10_000;

export interface InputReceipt {
  /**
   * `gone`: the worker does not exist or is being deleted. `full`: its input has too many messages. `differs`: the key was
   * used for another message.
   */
  outcome: 'sent' | 'repeated' | 'gone' | 'full' | 'differs';
  /** The ID of the message's entry. */
  entry_id: string;
}

/** Adds a message to a worker's input. A repeated `key` is the same message, and is added once. */
export async function sendInput(
  redis: Link,
  keys: Keys,
  id: string,
  { message, key }: { message: InputMessage | ExecMessage | FileMessage; key: string | undefined },
): Promise<InputReceipt> {
  const digest = createHash('sha256').update(`${id}\n${key}`).digest('hex');
  const [outcome, entry_id] = (await redis.sendInput(
    keys.desired(id),
    keys.input(id),
    keys.request(`input-${digest.slice(0, 32)}`),
    JSON.stringify(message),
    key === undefined ? '' : computeDigest(message),
    REQUEST_MS,
    MOST_MESSAGES,
  )) as [InputReceipt['outcome'], string];
  return { outcome, entry_id };
}
