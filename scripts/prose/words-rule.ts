/** A textlint rule: words and phrases that we don't write, each with what to write instead. */
import type { TextlintRuleModule } from '@textlint/types';
import { z } from 'zod';

export const WordList = z.array(
  z.strictObject({
    /** A regular expression for whole words; a space stands for any white space. Case doesn't matter. */
    avoid: z.string(),
    /** What to write instead, for the message. */
    use: z.string(),
  }),
);

export function createWordsRule(words: z.infer<typeof WordList>): TextlintRuleModule {
  const patterns = words.map(({ avoid, use }) => ({ pattern: toPattern(avoid), use }));
  return ({ Syntax, RuleError, report, getSource, locator }) => ({
    [Syntax.Str](node) {
      const text = getSource(node);
      for (const { pattern, use } of patterns) {
        for (const { 0: found, index } of text.matchAll(pattern)) {
          const padding = locator.range([index, index + found.length]);
          report(node, new RuleError(`"${found.replace(/\s+/g, ' ')}": write ${use}`, { padding }));
        }
      }
    },
  });
}

function toPattern(avoid: string): RegExp {
  return new RegExp(`(?<![\\w-])(?:${avoid.replaceAll(' ', '\\s+')})(?![\\w-])`, 'gi');
}
