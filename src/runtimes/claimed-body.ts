/** A body that its worker took over, as it is written down and as it is seen. */
import {
  type Body,
  CLAIMED_INCARNATION,
  type Claim,
  type ClaimedWorker,
  type ClaimRecord,
} from '../model/index.ts';

/** What is written down of takeovers; `RedisClaimStore` of the store. */
export interface ClaimStore {
  get(workerId: string): Promise<ClaimedWorker | undefined>;
  all(): Promise<ClaimedWorker[]>;
  lookUp(ids: string[]): Promise<{ known: boolean; serving: ClaimRecord | undefined; beats: boolean }[]>;
  announce(claim: Claim): Promise<void>;
  restore(claim: Claim): Promise<void>;
  drop(workerId: string): Promise<void>;
}

/** Made for a pool's stock, according to its label. */
export const isWarm = (spec: string): boolean => spec.includes('"warm":true');

/** The body as that of the worker which has it now. Its life as that began when it was taken over. */
export function toClaimedBody(body: Body, { worker_id, at, begun }: ClaimedWorker, spec: string): Body {
  // Until its worker has reported from it, nothing of the worker runs there, even if the body has ended.
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
