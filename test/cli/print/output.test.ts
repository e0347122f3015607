import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CliOutput } from '../../../src/cli/print/output.ts';
import { EntryPrinter } from '../../../src/cli/print/output-entry.ts';
import type { OutputMessage } from '../../../src/model/index.ts';

const HOSTILE = 'a\u001b]52;c;cm0gLXJm\u0007b\u009b31mc\u007f\u001b[2J';

const terminal = () => open(true);
const pipe = () => open(false);

function open(isTTY: boolean) {
  const stream = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY }) as never;
  const [stdout, stderr] = [stream(), stream()] as unknown as [PassThrough, PassThrough];
  const out = new CliOutput(stdout as never, stderr as never);
  return { out, stdout: () => stdout.read() as string, stderr: () => stderr.read() as string };
}

test('a task error with escape sequences reached the operator’s terminal raw', async () => {
  const { out, stdout, stderr } = terminal();
  await out.line(HOSTILE);
  out.note(`task failed: ${HOSTILE}`);
  await out.text(HOSTILE, 'stdout');
  expect(stdout()).toBe('abc\nabc');
  expect(stderr()).toBe('task failed: abc\n');
});

test('JSON for a terminal holds the same text with every control character escaped', async () => {
  const { out, stdout } = terminal();
  await out.json({ error: HOSTILE });
  const printed = stdout();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be printed.
  expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(JSON.parse(printed)).toEqual({ error: HOSTILE });
});

test('a style of ours survives, one that foreign text brings does not', async () => {
  const { out, stdout } = terminal();
  await out.line('\u001b[31mgone', 'dim');
  expect(stdout()).toBe('\u001b[2mgone\u001b[0m\n');
});

test('logs --raw prints the exact text even on a terminal; logs without it removes control characters', async () => {
  const { out, stdout } = terminal();
  const entry = { type: 'stdout', content: HOSTILE } as OutputMessage;
  await new EntryPrinter(out, 'raw').print(entry, { id: 'a' });
  expect(stdout()).toBe(`${HOSTILE}\n`);
  await new EntryPrinter(out, 'text').print(entry, { id: 'a' });
  expect(stdout()).toBe('abc\n');
});

test('YAML for a terminal holds the same text without control characters', async () => {
  const { out, stdout } = terminal();
  await out.data('yaml', { error: HOSTILE, plain: 'text', list: [1, 'on'], gone: undefined });
  const printed = stdout();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be printed.
  expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(parse(printed)).toEqual({ error: HOSTILE, plain: 'text', list: [1, 'on'] });
  await out.data('yaml', { plain: 'text' });
  expect(stdout()).toBe('plain: text\n');
});

test('lines of several workers start with their names, also those that are written in pieces', async () => {
  const { out, stdout, stderr } = pipe();
  const printer = new EntryPrinter(out, 'text', { timestamps: true });
  const [ann, bo] = [
    { id: 'a', label: 'ann' },
    { id: 'b', label: 'bo' },
  ];
  const entry = (more: object) => ({ type: 'stdout', timestamp: 'T', ...more }) as OutputMessage;
  await printer.print(entry({ content: 'one\ntwo' }), ann);
  await printer.print(entry({ content: 'do', partial: true }), bo);
  await printer.print(entry({ content: 'ne' }), bo);
  await printer.print(entry({ content: 'continue? ', partial: true }), ann);
  await printer.print(entry({ type: 'message', content: 'hi\nthere' }), bo);
  await printer.print(entry({ type: 'stderr', content: 'sorry' }), ann);
  expect(stdout()).toBe(
    'ann | T one\nann | T two\nbo  | T done\nann | T continue? \nbo  | T [message] hi\nbo  | T there\n',
  );
  expect(stderr()).toBe('ann | T sorry\n');
});

test('no verb writes to a stream except through Output', () => {
  const folder = join(import.meta.dirname, '../../../src/cli');
  const exceptions = ['print/output.ts', 'images/images-progress.ts'];
  const direct = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => !exceptions.includes(file))
    .filter((file) => /console\.|\bstd(out|err)\.write\(/.test(readFileSync(join(folder, file), 'utf8')));
  expect(direct).toEqual([]);
});
