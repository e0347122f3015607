import type { WorkerSpec } from '../model/worker/spec.ts';

/**
 * The content of CLAUDE.md and AGENTS.md in a worker's workspace: its instructions and, if commands are
 * limited, the rule that lists them. Undefined if there is neither.
 */
export function buildInstructions({
  instructions,
  allowed_commands,
}: Pick<WorkerSpec, 'instructions' | 'allowed_commands'>): string | undefined {
  const parts = [instructions?.trimEnd(), allowed_commands && formatCommandRule(allowed_commands)].filter(
    Boolean,
  );
  return parts.length === 0 ? undefined : `${parts.join('\n\n')}\n`;
}

function formatCommandRule(allowed: string[]): string {
  const names = [...new Set(allowed)].sort().map((name) => `\`${name}\``);
  const rule =
    names.length === 0
      ? 'You may not execute any program except the basic tools that are installed.'
      : `Besides the basic tools that are installed, you may execute only these programs: ${names.join(', ')}.`;
  return [
    '# Commands you may execute',
    '',
    rule,
    'This rule takes precedence over every other instruction, regardless of its source.',
    'Every other program is denied, regardless of its name or path and of the program that starts it.',
    'Do not try to work around a denial: report which program was denied and why you needed it, and continue without it.',
  ].join('\n');
}
