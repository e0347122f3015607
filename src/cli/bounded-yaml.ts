/** YAML that people hand in, bounded before it is built, and in time that grows with its length alone. Pure. */
import { type Document, isScalar, Lexer, LineCounter, parseAllDocuments, visit } from 'yaml';

/** Characters of a file: several pools with long instructions. */
const LENGTH = 4 * 1024 ** 2;
/** Entries of its lists and maps, and documents; a pool that says all that it can has less than a hundred. */
const ENTRIES = 20_000;
/** Levels within each other: a pool has six. What builds and visits them goes down by calls. */
const DEPTH = 100;

/** A mistake, and where it is in the text. */
export interface YamlIssue {
  message: string;
  offset: number;
}
export interface YamlDocument {
  document: Document.Parsed;
  /** Why it can't be used. */
  issues: YamlIssue[];
}

/** Why the text is not read at all; `undefined` if it may be. */
export function excessOfYaml(text: string): string | undefined {
  if (text.length > LENGTH) return `has more than ${LENGTH} characters`;
  let entries = 0;
  /** Flow collections that are open, and lists that began on this line: `- - - 1`. */
  let [open, onLine] = [0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token.startsWith('\n') || token === '\r\n') onLine = 0;
    else if (token === '[' || token === '{') open += 1;
    else if (token === ']' || token === '}') open -= 1;
    else if (token === '-' || token === '?') onLine += 1;
    else if (token !== ':' && token !== ',' && token !== '---') continue;
    entries += 1;
    if (entries > 2 * ENTRIES) return `has more than ${ENTRIES} entries`;
    if (open + onLine > DEPTH) return `is nested too deeply: it has more than ${DEPTH} levels`;
  }
  return undefined;
}

/** The documents of a text that is within bounds. */
export function readYaml(text: string): { documents: YamlDocument[]; lines: LineCounter } {
  const lines = new LineCounter();
  // Its own check for keys that are there twice compares each with each.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false };
  const documents = parseAllDocuments(text, options) as Document.Parsed[];
  return {
    lines,
    documents: documents.map((document) => {
      const mistakes = document.errors.map(({ message, pos }) => ({ message, offset: pos[0] }));
      return { document, issues: [...mistakes, ...repeated(document)] };
    }),
  };
}

function repeated(document: Document.Parsed): YamlIssue[] {
  const issues: YamlIssue[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value))
          issues.push({ message: 'Map keys must be unique', offset: key.range?.[0] ?? 0 });
        keys.add(key.value);
      }
    },
  });
  return issues;
}
