/**
 * The last errors of failing workers. A restarted worker has no error until it fails again, so a pool that
 * reports at that moment would report that its workers keep failing, but not why. The error of the last end
 * is therefore kept in the memo while any worker of that template is failing. Pure.
 */

import type { Member, PoolMemo } from '../model/pool/pool-memo.ts';
import { isFailing, type PoolObservation } from './observation.ts';

export type ErrorText = Pick<Member, 'reason' | 'message'>;
export type LastError = NonNullable<PoolMemo['last_words']>;

/** The last error for each template that has failing workers: the current one, or else the previous one. */
export function findLastError({ members }: PoolObservation, memo: PoolMemo): LastError {
  const failing = members.filter(isFailing);
  return [...new Set(failing.map(({ revision }) => revision))].flatMap((revision) => {
    const reporting = failing.find((member) => member.revision === revision && hasErrorText(member));
    const { reason, message } = reporting ?? {};
    if (reason !== undefined && message !== undefined) return [{ revision, reason, message }];
    return memo.last_words?.filter((words) => words.revision === revision) ?? [];
  });
}

/** The error of a worker that does not start, or else the last error of its template. */
export function getMemberError(member: Member, kept: LastError): ErrorText {
  if (hasErrorText(member)) return member;
  return kept.find(({ revision }) => revision === member.revision) ?? member;
}

/**
 * Whether its message is about its end or about what prevents its start; the progress of an image build is
 * neither.
 */
const hasErrorText = ({ phase, message }: Member) => phase !== 'building' && message !== '';

/** `start (Reason): message`, without the colon if there is no message. */
export function withErrorText(start: string, { reason, message }: ErrorText): string {
  return `${start} (${reason || 'Error'})${message ? `: ${message}` : '.'}`;
}
