import { createInterface } from 'node:readline/promises';
import { usageError } from '../exit.ts';
import type { CliOutput } from '../print/output.ts';

/** Asks a person to confirm; throws a usage error if standard input is not a terminal. */
export async function confirm(out: CliOutput, question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw usageError(`${question} Add --force, because standard input is not a terminal.`);
  await out.text(`${question} [y/N] `, 'stderr');
  const lines = createInterface({ input: process.stdin });
  try {
    const answer = await Promise.race([
      lines.question(''),
      new Promise<string>((resolve) => lines.once('close', () => resolve(''))),
    ]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
