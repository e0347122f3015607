import { findDenial } from '../sandbox/command-policy.ts';
import type { ProcessEnd } from './format.ts';
import type { ProcessOutput } from './process-output.ts';

/** Exit codes of shells for a program that they may not execute; dash has that of a missing one, too. */
const REFUSED = 126;
const CANNOT_EXECUTE = [REFUSED, 127];
/** End of stderr that is searched for a refusal. */
const CHARACTERS = 4096;

/** If a shell was refused a program of a worker with `allowed_commands`, the code is 126, and the reason is added. */
export function explainDenial(end: ProcessEnd, log: ProcessOutput): void {
  if (!CANNOT_EXECUTE.includes(end.exit_code) || end.error) return;
  const content = log.text('stderr').toString('latin1').slice(-CHARACTERS);
  const program = findDenial({ content, is_error: true });
  if (program === undefined) return;
  end.exit_code = REFUSED;
  end.error = `${program} was denied by the operating system: it is not in allowed_commands.`;
}
