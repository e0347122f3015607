/**
 * Fails if code compares a runtime by its name: a string literal that is a runtime's name, outside of the places that own the
 * names. Everything else asks for capabilities (`getCapabilities` of the model), so that a new runtime changes nothing there.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { RUNTIME_NAMES } from '../src/model/index.ts';

const ROOT = join(import.meta.dirname, '..');
const CHECKED = ['src/**/*.ts', 'machines/**/*.ts', 'worker-base/**/*.ts'];
const OWNERS = [
  /^src\/runtimes\//,
  /^src\/config\//,
  /^src\/model\/runtime-table\.ts$/,
  // Generated from the schemas.
  /^src\/client\/api-types\.ts$/,
];

function findNames(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteralLike(node) && (RUNTIME_NAMES as string[]).includes(node.text)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push(`${file}:${line + 1} names the runtime "${node.text}"`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const files = globSync(CHECKED, { cwd: ROOT }).filter((file) => !OWNERS.some((owner) => owner.test(file)));
const found = files.sort().flatMap(findNames);
for (const line of found) console.error(line);
if (found.length > 0) console.error('Use a capability instead: see src/model/runtime-table.ts.');
console.log(`${files.length} files, ${found.length} names of runtimes`);
process.exitCode = found.length > 0 ? 1 : 0;
