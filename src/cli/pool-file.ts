/**
 * Pools as people write them: YAML or JSON, one or several documents, each a pool, a list of pools, or `pools:` with
 * a list. What is wrong is told by line and field, all of it at once. Pure.
 */
import { LineCounter, parseAllDocuments } from 'yaml';
import { Fault, type Issue, messageOf, type PoolSpec, poolSpec, toIssues } from '../model/index.ts';
import { templateIssues } from '../pools/template.ts';

type Document = ReturnType<typeof parseAllDocuments>[number];
type Path = (string | number)[];

/** The pools of a file's text, in their order. Throws a Fault `invalid_command` whose issues begin with `file:line`. */
export function readPools(text: string, file: string): PoolSpec[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const issues: Issue[] = [];
  const pools: PoolSpec[] = [];
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  for (const document of documents as Document[]) {
    for (const { message, pos } of document.errors) issues.push({ path: at(pos[0]), message });
    if (document.errors.length > 0) continue;
    let value: unknown;
    try {
      value = document.toJS();
    } catch (error) {
      // Aliases that name nothing, or that grow without end, are found only here, and without their place.
      issues.push({ path: at(document.range?.[0] ?? 0), message: messageOf(error) });
      continue;
    }
    for (const path of poolPaths(value)) {
      const tell = ({ path: field, message }: Issue) => {
        const place = at(offsetOf(document, path, field));
        const name = [pathText(path), field].filter(Boolean).join('.');
        issues.push({ path: place, message: `${name} ${message}`.trim() });
      };
      const read = poolSpec.safeParse(valueAt(value, path));
      const found = read.success ? templateIssues(read.data) : toIssues(read.error);
      for (const issue of found) tell(issue);
      if (!read.success) continue;
      if (pools.some(({ name }) => name === read.data.name))
        tell({ path: 'name', message: `is there twice: ${read.data.name}` });
      pools.push(read.data);
    }
  }
  if (issues.length === 0 && pools.length === 0) issues.push({ path: file, message: 'declares no pool' });
  if (issues.length > 0) {
    const list = issues.map(({ path, message }) => `${path}: ${message}`);
    throw new Fault('invalid_command', `${file} cannot be applied:\n  ${list.join('\n  ')}`, { issues });
  }
  return pools;
}

/** Where the pools of a document are; none in an empty one, as before the first `---`. */
function poolPaths(value: unknown): Path[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((_, at) => [at]);
  const list = (value as { pools?: unknown }).pools;
  if (Array.isArray(list) && Object.keys(value).length === 1) return list.map((_, at) => ['pools', at]);
  return [[]];
}

const valueAt = (whole: unknown, path: Path): unknown =>
  path.reduce((value: unknown, key) => (value as Record<string, unknown>)?.[key], whole);

const pathText = (path: Path) => path.map((key) => (typeof key === 'number' ? `[${key}]` : key)).join('');

/** Where the field is written, or what is next to where it should be. */
function offsetOf(document: Document, base: Path, field: string): number {
  const keys = field === '' ? [] : field.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  for (let depth = keys.length; depth >= 0; depth -= 1) {
    const path = [...base, ...keys.slice(0, depth)];
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const range = (node as { range?: [number, number, number] | null } | null | undefined)?.range;
    if (range) return range[0];
  }
  return 0;
}
