/** A body that its worker has claimed: its record, and how it is shown. */
import {
  type Body,
  CLAIMED_INCARNATION,
  type Claim,
  type ClaimedWorker,
  type ClaimRecord,
} from '../model/index.ts';

/** The records of claims; implemented by the store's `RedisClaimStore`. */
export interface ClaimStore {
  get(workerId: string): Promise<ClaimedWorker | undefined>;
  all(): Promise<ClaimedWorker[]>;
  lookUp(ids: string[]): Promise<{ known: boolean; serving: ClaimRecord | undefined; beats: boolean }[]>;
  announce(claim: Claim): Promise<void>;
  restore(claim: Claim): Promise<void>;
  drop(workerId: string): Promise<void>;
}

/** Whether the body was created for a pool's warm workers, according to its label. */
export const isWarm = (spec: string): boolean => spec.includes('"warm":true');

/** Shows the body as that of its current worker. Its lifetime for that worker starts at the claim. */
export function toClaimedBody(body: Body, { worker_id, at, begun }: ClaimedWorker, spec: string): Body {
  // Until its worker has reported from it, it has not started for that worker, even if the body has ended.
  const state = begun ? body.state : 'created';
  const { exit_code, oom_killed, error, finished_at, tail, ...rest } = body;
  return {
    ...(begun ? body : rest),
    worker_id,
    spec,
    state,
    spec_hash: '',
    incarnation: CLAIMED_INCARNATION,
    created_at: Math.max(body.created_at, Math.floor(at / 1000) * 1000),
    started_at: begun ? at : undefined,
  };
}
