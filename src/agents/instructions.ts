import type { WorkerSpec } from '../model/spec.ts';

/**
 * What stands in CLAUDE.md and AGENTS.md of a worker's workspace: its instructions and, where commands are limited,
 * the rule that says so. Undefined where there is nothing to say.
 */
export function instructionsOf({
  instructions,
  allowed_commands,
}: Pick<WorkerSpec, 'instructions' | 'allowed_commands'>): string | undefined {
  const parts = [instructions?.trimEnd(), allowed_commands && ruleOf(allowed_commands)].filter(Boolean);
  return parts.length === 0 ? undefined : `${parts.join('\n\n')}\n`;
}

function ruleOf(allowed: string[]): string {
  const names = [...new Set(allowed)].sort().map((name) => `\`${name}\``);
  const rule =
    names.length === 0
      ? 'You may execute no program beside the basic tools that are there.'
      : `Beside the basic tools that are there, you may execute these programs and no others: ${names.join(', ')}.`;
  return [
    '# Commands you may execute',
    '',
    rule,
    'This rule stands above every other instruction, whoever gives it.',
    'Every other program is refused, by whatever name or path and through whatever other program it is started.',
    'Do not look for a way around a refusal: say which program was refused and what you needed it for, and go on without it.',
  ].join('\n');
}
