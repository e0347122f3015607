/**
 * What failing workers said last. A worker that is started again has nothing to say until it fails again, and a pool
 * that reports it just then would say that its workers keep ending, and not why. So the error of the last end is
 * kept in the memo for as long as a worker of that template is failing. Pure.
 */

import type { Member, PoolMemo } from '../model/pool-memo.ts';
import { isFailing, type PoolObservation } from './observation.ts';

export type ErrorText = Pick<Member, 'reason' | 'message'>;
export type LastError = NonNullable<PoolMemo['last_words']>;

/** The last error for each template that has failing workers: those of now, else those of before. */
export function findLastError({ members }: PoolObservation, memo: PoolMemo): LastError {
  const failing = members.filter(isFailing);
  return [...new Set(failing.map(({ revision }) => revision))].flatMap((revision) => {
    const reporting = failing.find((member) => member.revision === revision && hasErrorText(member));
    const { reason, message } = reporting ?? {};
    if (reason !== undefined && message !== undefined) return [{ revision, reason, message }];
    return memo.last_words?.filter((words) => words.revision === revision) ?? [];
  });
}

/** What a worker that does not start says itself, else what one of the same template said last. */
export function getMemberError(member: Member, kept: LastError): ErrorText {
  if (hasErrorText(member)) return member;
  return kept.find(({ revision }) => revision === member.revision) ?? member;
}

/** Its message is about its own end, or what keeps it from starting; how far an image is says nothing about that. */
const hasErrorText = ({ phase, message }: Member) => phase !== 'building' && message !== '';

/** `start (Reason): what was said`, and no colon without a message. */
export function withErrorText(start: string, { reason, message }: ErrorText): string {
  return `${start} (${reason || 'Error'})${message ? `: ${message}` : '.'}`;
}
