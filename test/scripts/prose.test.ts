/** The prose check: which text of a file it reads, and what it finds there. */
import { TextlintKernel } from '@textlint/kernel';
import { describe, expect, test } from 'vitest';
import { keepProse, sourcePlugin } from '../../scripts/prose/source-plugin.ts';
import { createWordsRule } from '../../scripts/prose/words-rule.ts';

/** Not a word of this repository's list, so that this file passes the check itself. */
const rule = createWordsRule([{ avoid: 'quite (?:a|the) mouse|gnu', use: 'cat' }]);

async function check(text: string, ext = '.ts') {
  const { messages } = await new TextlintKernel().lintText(text, {
    ext,
    filePath: `file${ext}`,
    plugins: [{ pluginId: 'source', plugin: sourcePlugin }],
    rules: [{ ruleId: 'words', rule }],
  });
  return messages.map(({ message, loc }) => `${loc.start.line}:${loc.start.column} ${message}`);
}

describe('a source file', () => {
  test.each([
    ['a line comment', '// It is a gnu.', ['1:12 "gnu": write cat']],
    ['a string', "log('it is a gnu');", ['1:14 "gnu": write cat']],
    ['a template', 'log(`it is $' + '{gnu} or a gnu`);', ['1:24 "gnu": write cat']],
    ['a phrase across lines', '/**\n * It is quite\n * a mouse.\n */', ['2:10 "quite a mouse": write cat']],
    ['two line comments', '// It is quite\n  // the mouse.', ['1:10 "quite the mouse": write cat']],
    ['upper case', '/* Gnu. */', ['1:4 "Gnu": write cat']],
    ['an identifier', 'const gnu = 1;', []],
    ['a string without a space', "send('gnu');", []],
    ['a name in backticks', '// It is `gnu`.', []],
    ['a part of a word', '// gnus and a-gnu', []],
    ['a phrase with code between', "log('it is quite'); log('a mouse');", []],
  ])('%s', async (_, text, findings) => {
    expect(await check(text)).toEqual(findings);
  });

  test('of another language counts as a whole', async () => {
    expect(await check('# A gnu.\nx = 1\n', '.py')).toEqual(['1:5 "gnu": write cat']);
  });

  test('keeps its length and its lines', () => {
    const source = ["import a from 'b';", '/** Why. */', "export const c = 'no d e';", '// f', ''].join('\n');
    const prose = keepProse('file.ts', source);
    expect(prose).toHaveLength(source.length);
    expect(prose.split('\n')).toHaveLength(source.split('\n').length);
    expect(prose.replace(/[·\s]+/g, ' ').trim()).toBe('Why. no d e f');
  });

  test('that does not parse is an error', () => {
    expect(() => keepProse('file.ts', 'const')).toThrow(/^file\.ts: /);
  });
});
