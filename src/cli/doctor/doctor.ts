import { Command } from 'commander';
import type { Context } from '../context.ts';
import { EXIT } from '../exit.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { toOneLine } from '../print/text.ts';
import type { DoctorCheck } from './doctor-check.ts';
import { runChecks } from './doctor-checks.ts';

const MARK = { ok: '✓', bad: '✗', hint: '!' } as const;

export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .summary('check the installation')
    .description(
      'Check Node, Redis, Docker, the worker image and the settings, and advise on problems. Exits 1 if something required is missing.',
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm doctor')
    .action(({ output }: { output: Format }) => doctor(context, output));
}

async function doctor(context: Context, output: Format): Promise<void> {
  const { out } = context;
  const found: DoctorCheck[] = [];
  for await (const check of runChecks(context)) {
    found.push(check);
    if (output === 'name') await out.line(check.name);
    else if (!isData(output)) await out.line(formatCheck(check));
  }
  const ok = found.every(({ state }) => state !== 'bad');
  if (isData(output)) await out.data(output, { ok, checks: found });
  else if (output !== 'name') await out.line(ok ? '\nAll checks passed.' : '\nSome checks failed.');
  if (!ok) context.exitWith(EXIT.failed);
}

function formatCheck({ name, state, found, advice }: DoctorCheck): string {
  return `${MARK[state]} ${name}: ${toOneLine(found, 500)}${advice ? `\n    ${toOneLine(advice, 500)}` : ''}`;
}
