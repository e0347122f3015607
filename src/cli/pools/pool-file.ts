/**
 * Parses pools from users: YAML or JSON, one or several documents, each with one pool, a list of pools, or `pools:`
 * with a list. All errors are reported at once, with line and field. Pure.
 */

import {
  errorMessage,
  Fault,
  ISSUES_SHOWN,
  type Issue,
  type PoolSpec,
  poolSpec,
  toIssues,
} from '../../model/index.ts';
import { findInexactNumber } from '../../model/values/exact-json.ts';
import { templateIssues } from '../../pools/template.ts';
import { findYamlExcess, readYaml, type YamlDocument } from './bounded-yaml.ts';

type Document = YamlDocument['document'];
type Path = (string | number)[];

/** The pools of a file, in order. Throws a Fault `invalid_command` whose issues start with `file:line`. */
export function readPools(text: string, file: string): PoolSpec[] {
  const excess = findYamlExcess(text);
  if (excess) throw new Fault('invalid_command', `${file} cannot be applied: it ${excess}.`);
  const { documents, lines } = readYaml(text);
  const issues: Issue[] = [];
  let more = 0;
  const pools: PoolSpec[] = [];
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  for (const { document, issues: mistakes } of documents) {
    for (const { message, offset } of mistakes) issues.push({ path: at(offset), message });
    if (mistakes.length > 0) continue;
    let value: unknown;
    try {
      value = document.toJS();
    } catch (error) {
      // Unresolved aliases, and aliases that grow without limit, are only detected here, without a position.
      issues.push({ path: at(document.range?.[0] ?? 0), message: errorMessage(error) });
      continue;
    }
    for (const path of poolPaths(value)) {
      const format = ({ path: field, message }: Issue) => {
        const place = at(findOffset(document, path, field));
        const name = [pathText(path), field].filter(Boolean).join('.');
        issues.push({ path: place, message: `${name} ${message}`.trim() });
      };
      const read = poolSpec.safeParse(valueAt(value, path));
      const inexact = read.success ? findInexactNumber(valueAt(value, path)) : undefined;
      const found = read.success
        ? [...templateIssues(read.data), ...(inexact ? [inexact] : [])]
        : toIssues(read.error);
      // Finding a position requires a search of the document.
      for (const issue of found.slice(0, ISSUES_SHOWN)) format(issue);
      more += Math.max(0, found.length - ISSUES_SHOWN);
      if (!read.success) continue;
      if (pools.some(({ name }) => name === read.data.name))
        format({ path: 'name', message: `is declared twice: ${read.data.name}` });
      pools.push(read.data);
    }
  }
  if (issues.length === 0 && pools.length === 0) issues.push({ path: file, message: 'declares no pool' });
  if (issues.length > 0) {
    const list = issues.slice(0, ISSUES_SHOWN).map(({ path, message }) => `${path}: ${message}`);
    more += issues.length - list.length;
    if (more > 0) list.push(`and ${more} more`);
    throw new Fault('invalid_command', `${file} cannot be applied:\n  ${list.join('\n  ')}`, { issues });
  }
  return pools;
}

/** The paths of the pools of a document; an empty document, such as the one before the first `---`, has none. */
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

/** The position of the field, or of its closest parent. */
function findOffset(document: Document, base: Path, field: string): number {
  const keys = field === '' ? [] : field.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  for (let depth = keys.length; depth >= 0; depth -= 1) {
    const path = [...base, ...keys.slice(0, depth)];
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const range = (node as { range?: [number, number, number] | null } | null | undefined)?.range;
    if (range) return range[0];
  }
  return 0;
}
