import type { PoolSpec } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import { COMMAND_GROUP, type Keys } from '../keys.ts';
import { throwIfFenced } from '../reply.ts';

/** The change that a command makes to a pool. */
export interface PoolChange {
  name: string;
  /** The new desired record; the pool is deleted if it is absent. */
  spec: PoolSpec | undefined;
  at: string;
  ms: number;
}

/** Writes, answers, remembers and acknowledges in one step; throws `Fenced` if another manager leads. */
export async function settlePool(
  redis: Link,
  keys: Keys,
  settlement: {
    epoch: number;
    entryId: string;
    requestId: string;
    fingerprint: string | undefined;
    replyTo: string | undefined;
    answers: object;
    change: PoolChange;
  },
  kept: { request_ms: number; request_bytes: number; responses: number; reply_ms: number },
): Promise<{ outcome: 'repeated' | 'ok' | 'same' | 'not_found'; generation: number }> {
  const { epoch, entryId, requestId, fingerprint = '', replyTo, answers, change } = settlement;
  const [outcome, generation] = (await redis.poolAccept(
    keys.leader,
    keys.request(requestId),
    keys.commands,
    replyTo ?? keys.responses,
    keys.pools.record(change.name),
    keys.pools.pools,
    keys.responses,
    keys.answered,
    keys.answeredBytes,
    epoch,
    COMMAND_GROUP,
    entryId,
    change.spec ? 'apply' : 'delete',
    JSON.stringify(answers),
    kept.request_ms,
    kept.responses,
    replyTo ? kept.reply_ms : 0,
    change.name,
    change.spec ? JSON.stringify(change.spec) : '',
    change.at,
    change.ms,
    requestId,
    kept.request_bytes,
    fingerprint,
  )) as [unknown, number];
  return { outcome: throwIfFenced<'repeated' | 'ok' | 'same' | 'not_found'>(outcome), generation };
}
