import { expect, test } from 'vitest';
import { describeIntent as inWords } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { look, memoOf, statusOf } from './observation.ts';
import { SITUATIONS, STATES } from './situations.ts';

/** The status in the store while the machine is in that state, as far as a decision reads it. */
const storedStatus = (state: string) => {
  const [status, phase = 'finished'] = state.split('.');
  return statusOf(
    status === 'DELETED'
      ? { status: 'STOPPED', phase: 'deleted' }
      : { status: status as 'STARTING', phase, reason: 'Before', message: 'As before.' },
  );
};

const nameOf = (value: unknown) =>
  typeof value === 'string' ? value : Object.entries(value as object)[0]?.join('.');

function row(state: string, situation: string): string {
  const { value, context } = STATES[state] ?? {};
  const observation = look({
    ...SITUATIONS[situation],
    memo: memoOf(value, context),
    status: storedStatus(state),
  });
  const { status, memo, intents, requeue_after_ms, rule } = decide(observation);
  const next = nameOf(memo.value);
  const shown = [
    rule,
    next === state ? '' : next,
    intents.map(inWords).join(' + '),
    [status.reason, status.exit_code].filter((one) => one !== undefined && one !== '').join(' '),
    requeue_after_ms === undefined ? '' : `${requeue_after_ms} ms`,
  ];
  const widths = [29, 17, 21, 25, 0];
  const cells = shown.map((cell, at) => (cell || '-').padEnd(widths[at] ?? 0)).join(' | ');
  return `  ${situation.padEnd(46)} | ${cells}`.trimEnd();
}

/**
 * The whole decision as one table, reviewed as a diff: `vitest run --project unit test/reconcile -u` writes it
 * again. Columns: situation, the rule that applied, the next state where it is another, what is asked of the world,
 * reason and exit code in the status, when to look again.
 */
test('the decision about every situation in every state is the one that was agreed on', async () => {
  const lines = Object.keys(STATES).flatMap((state) => [
    `in ${state}`,
    ...Object.keys(SITUATIONS).map((situation) => row(state, situation)),
    '',
  ]);
  await expect(lines.join('\n')).toMatchFileSnapshot('./decide.golden.txt');
});
