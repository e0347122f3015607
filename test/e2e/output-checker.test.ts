import { expect, test } from 'vitest';
import { OutputChecker } from '../../scripts/demo/output-checker.ts';

const stdout = (seq: number, content: string) => ({ seq, type: 'stdout', content });

test('counts complete output in order, however it is collected', () => {
  const ledger = new OutputChecker();
  ledger.add({ seq: 1, type: 'ready', content: '' });
  expect(ledger.add(stdout(2, 'line 1\nline 2'))).toEqual([1, 2]);
  expect(ledger.add(stdout(3, 'answer: of the agent\nline 3'))).toEqual([3]);
  expect(ledger).toMatchObject({ seq: 3, lines: 3, faults: [] });
});

test.each([
  ['a lost entry', stdout(3, 'line 2'), 'seq 3 follows seq 1'],
  ['a doubled entry', stdout(1, 'line 2'), 'seq 1 follows seq 1'],
  ['a lost line', stdout(2, 'line 3'), 'line 3 follows line 1'],
  ['a doubled line', stdout(2, 'line 1'), 'line 1 follows line 1'],
  ['a gap', { seq: 2, type: 'gap', content: '7 lines' }, 'a gap: 7 lines'],
])('reports %s', (_, second, fault) => {
  const ledger = new OutputChecker();
  ledger.add(stdout(1, 'line 1'));
  ledger.add(second);
  expect(ledger.faults).toEqual([fault]);
});
