/** Parses YAML from users. It is limited before it is parsed, and takes time linear in its length. Pure. */
import { type Document, isScalar, Lexer, LineCounter, parseAllDocuments, visit } from 'yaml';

/** Maximum number of characters of a file; enough for several pools with long instructions. */
const LENGTH = 4 * 1024 ** 2;
/** Maximum number of entries of lists and maps, and of documents; a pool with all fields has less than a hundred. */
const ENTRIES = 20_000;
/** Maximum nesting; a pool has six levels. The parser and its visitors are recursive. */
const DEPTH = 100;

/** An error and its position in the text. */
export interface YamlIssue {
  message: string;
  offset: number;
}
export interface YamlDocument {
  document: Document.Parsed;
  /** Why it can't be used. */
  issues: YamlIssue[];
}

/** Which limit the text exceeds; `undefined` if it may be parsed. */
export function findYamlExcess(text: string): string | undefined {
  if (text.length > LENGTH) return `has more than ${LENGTH} characters`;
  let entries = 0;
  /** Open flow collections, and lists that started on this line: `- - - 1`. */
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

/** Parses the documents of a text that is within the limits. */
export function readYaml(text: string): { documents: YamlDocument[]; lines: LineCounter } {
  const lines = new LineCounter();
  // The parser's own check for duplicate keys compares every pair of keys.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false };
  const documents = parseAllDocuments(text, options) as Document.Parsed[];
  return {
    lines,
    documents: documents.map((document) => {
      const mistakes = document.errors.map(({ message, pos }) => ({ message, offset: pos[0] }));
      return { document, issues: [...mistakes, ...findRepeatedKeys(document)] };
    }),
  };
}

function findRepeatedKeys(document: Document.Parsed): YamlIssue[] {
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
