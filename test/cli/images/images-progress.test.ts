import { expect, test } from 'vitest';
import { renderProgressBar } from '../../../src/cli/images/images-progress.ts';

test.each([
  [
    { step: 0, of: 0, line: 'Waiting for another build' },
    80,
    '[------------------------] Waiting for another build',
  ],
  [{ step: 1, of: 12, line: 'Step 1/12 : FROM a' }, 80, '[------------------------] 1/12 FROM a'],
  [{ step: 7, of: 12, line: 'Step 7/12 : RUN b' }, 80, '[############------------] 7/12 RUN b'],
  [{ step: 12, of: 12, line: 'Step 12/12 : CMD' }, 34, '[######################--] 12/12…'],
  [{ step: 2, of: 4, line: 'Step 2/4 : RUN \u001b[31mred' }, 80, '[######------------------] 2/4 RUN red'],
])('%o in %d columns', (progress, columns, bar) => {
  expect(renderProgressBar(progress, columns)).toBe(bar);
});
