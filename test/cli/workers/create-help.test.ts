/** What `wm create` offers. */
import { expect, test } from 'vitest';
import { createCommand } from '../../../src/cli/workers/create.ts';

test('runtimes that there are, and no other', () => {
  const help = createCommand({} as never).helpInformation();
  expect(help.replace(/\s+/g, ' ')).toContain(
    '--runtime <runtime> runtime that runs it (choices: "docker", "process", "auto")',
  );
});
