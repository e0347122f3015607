import { expect, test } from 'vitest';
import { decidePool } from '../../src/pools/decide.ts';
import { describePoolIntent, type PoolIntent } from '../../src/pools/observation.ts';
import { look } from './observation.ts';
import { SITUATIONS } from './situations.ts';

/** Workers by their place, which is the end of their IDs in these tests. */
function inWords(intent: PoolIntent): string {
  if (intent.type !== 'retire') return describePoolIntent(intent).replace(' worker', '');
  return `retire ${intent.busy ? 'busy ' : ''}${Number(intent.worker_id.slice(-12))} (${intent.why})`;
}

/**
 * The decision about pools as one table, reviewed as a diff: `vitest run --project unit test/pools -u` writes it
 * again. Columns: what is done, how many there should be, the phase and its reason, when it is reconciled again, and
 * below the message for users.
 */
test('the decision about every situation of a pool is the one that was agreed on', async () => {
  const rows = Object.entries(SITUATIONS).map(([name, given]) => {
    const { status, intents, requeue_after_ms } = decidePool(look(given));
    const cells = [
      name.padEnd(50),
      (intents.map(inWords).join(' + ') || '-').padEnd(44),
      `desired ${status.desired}`.padEnd(10),
      `${status.phase}${status.reason ? ` ${status.reason}` : ''}`.padEnd(36),
      `${requeue_after_ms} ms`,
    ];
    return `${cells.join(' | ')}\n    ${status.message}`;
  });
  await expect(`${rows.join('\n')}\n`).toMatchFileSnapshot('./decide.golden.txt');
});
