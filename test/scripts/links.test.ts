/** No page of the documentation has a dead link: each file exists, and each anchor is a heading of it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** All pages of the repository. */
function listPages(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name)
        ? []
        : listPages(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** The text without code, in which brackets mean something else. */
const withoutCode = (text: string) => text.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '');

/** The anchors of a page's headings, as GitHub makes them. */
function listAnchors(path: string): Set<string> {
  const text = readFileSync(path, 'utf8').replace(/^ *```[\s\S]*?^ *```$/gm, '');
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#+ +(.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

function findDead(page: string): string[] {
  const dead: string[] = [];
  for (const [, target = ''] of withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? page : join(dirname(page), decodeURIComponent(file));
    const isDead =
      !existsSync(path) ||
      (anchor !== undefined &&
        statSync(path).isFile() &&
        path.endsWith('.md') &&
        !listAnchors(path).has(anchor));
    if (isDead) dead.push(`${relative(ROOT, page)}: ${target}`);
  }
  return dead;
}

test('every link of the documentation leads somewhere', () => {
  const pages = listPages(ROOT);
  expect(pages.length).toBeGreaterThan(100);
  expect(pages.flatMap(findDead)).toEqual([]);
});
