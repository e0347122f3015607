/**
 * Looks for words that we don't write in docs, comments and strings: `node scripts/prose/check.ts [LIST]`.
 *
 * The words, and what to write instead, are in `prose.yaml` or in another list of the same form. Prints one line for
 * each finding, and ends with 1 if there is any.
 */
import { globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { TextlintKernel } from '@textlint/kernel';
import markdown from '@textlint/textlint-plugin-markdown';
import { parse } from 'yaml';
import { sourceExtensions, sourcePlugin } from './source-plugin.ts';
import { createWordsRule, WordList } from './words-rule.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = [
  'src',
  'machines',
  'worker-base',
  'page',
  'scripts',
  'bench',
  'test',
  'docs',
  'examples',
  'clients',
];
const FILES = ['*.md', ...['.md', ...sourceExtensions].map((end) => `{${FOLDERS}}/**/*${end}`)];

/** Their strings are in golden files, which change only with the decisions or with a new recording. */
const EXEMPT = ['test/**/situations.ts', 'test/support/model/wire.ts', 'test/images/buildkit.test.ts'];

const list = process.argv[2] ?? join(ROOT, 'prose.yaml');
const words = WordList.parse(parse(readFileSync(list, 'utf8')));
const kernel = new TextlintKernel();
const plugins = [
  { pluginId: 'markdown', plugin: markdown.default },
  { pluginId: 'source', plugin: sourcePlugin },
];
const rules = [{ ruleId: 'words', rule: createWordsRule(words) }];

let findings = 0;
const paths = globSync(FILES, { cwd: ROOT, exclude: EXEMPT }).sort();
for (const path of paths) {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const { messages } = await kernel.lintText(text, { ext: extname(path), filePath: path, plugins, rules });
  for (const { message, loc } of messages) {
    console.log(`${path}:${loc.start.line}:${loc.start.column}  ${message}`);
  }
  findings += messages.length;
}
console.log(`${findings} findings in ${paths.length} files`);
process.exitCode = findings === 0 ? 0 : 1;
