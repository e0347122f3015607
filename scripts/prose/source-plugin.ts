/**
 * A textlint plugin for source files: the prose in them is the comments and the strings that contain a space.
 *
 * It replaces everything else by a filler of the same length, so that positions stay right and no phrase is found
 * across code. TypeScript and JavaScript are parsed; of other files (Python, Lua, shell, YAML) the whole text counts.
 */
import type { TxtDocumentNode } from '@textlint/ast-node-types';
import type { TextlintMessage, TextlintPluginCreator } from '@textlint/types';
import { parseSync, Visitor } from 'oxc-parser';

/** Neither a space nor part of a word: phrases end at it. */
const FILLER = '·';
const PARSED = ['.ts', '.tsx', '.mjs'];
const PLAIN = ['.py', '.sh', '.lua', '.c', '.yaml', '.yml'];

type Range = [start: number, end: number];

export const sourceExtensions = [...PARSED, ...PLAIN];

export const sourcePlugin: TextlintPluginCreator = {
  Processor: class {
    availableExtensions() {
      return sourceExtensions;
    }

    processor(extension: string) {
      return {
        preProcess: (text: string, path = `source${extension}`) => {
          const prose = PARSED.includes(extension) ? keepProse(path, text) : withoutCode(text);
          return { text: prose, ast: toDocument(prose) };
        },
        postProcess: (messages: TextlintMessage[], path = '') => ({ messages, filePath: path }),
      };
    }
  },
};

/** The text with all that is neither comment nor prose string replaced by the filler. */
export function keepProse(path: string, text: string): string {
  const prose = fill(text).split('');
  const keep = ([start, end]: Range, toText: (part: string) => string) => {
    for (const [index, character] of toText(text.slice(start, end)).split('').entries()) {
      prose[start + index] = character;
    }
  };
  const { comments, program, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const keepString = (start: number, end: number) => {
    if (/\s/.test(text.slice(start, end).trim())) keep([start, end], withoutEscapes);
  };
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === 'string') keepString(node.start + 1, node.end - 1);
    },
    JSXText: ({ start, end }) => keepString(start, end),
    TemplateElement: ({ start, value: { raw } }) => {
      // In TypeScript the range has the delimiters too.
      const begin = text.startsWith(raw, start) ? start : start + 1;
      keepString(begin, begin + raw.length);
    },
  }).visit(program);
  for (const { start, end } of comments) keep([start, end], withoutMarkers);
  return prose.join('');
}

const fill = (text: string) => text.replace(/\S/g, FILLER);

const withoutEscapes = (text: string) => withoutCode(text.replace(/\\./gs, '  '));

/** The marks of a comment become spaces, so that a phrase is found across its lines. */
const withoutMarkers = (text: string) =>
  withoutCode(text.replace(/^\/\*+|\*+\/$|^\/\/|^[ \t]*\*/gm, (mark) => ' '.repeat(mark.length)));

/** Names in backticks belong to the wire or the code. */
const withoutCode = (text: string) => text.replace(/`[^`\n]+`/g, fill);

function toDocument(text: string): TxtDocumentNode {
  const lines = text.split('\n');
  const whole = {
    raw: text,
    range: [0, text.length] as const,
    loc: {
      start: { line: 1, column: 0 },
      end: { line: lines.length, column: lines.at(-1)?.length ?? 0 },
    },
  };
  const string = { type: 'Str' as const, value: text, ...whole };
  return {
    type: 'Document',
    children: [{ type: 'Paragraph', children: text === '' ? [] : [string], ...whole }],
    ...whole,
  };
}
