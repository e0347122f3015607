/**
 * Checks that an exported name has one meaning: `node scripts/check-names.ts`.
 *
 * A reader who meets `Settings` in an import should not have to look which of three interfaces it is. The check counts
 * exported functions, classes, types, interfaces, enums and constants that more than one file declares. A re-export is the same
 * symbol and doesn't count; neither do a type and a value of one name in one file.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'machines', 'worker-base', 'page', 'scripts', 'bench'];

const files = globSync(`{${FOLDERS.join(',')}}/**/*.{ts,tsx}`, { cwd: ROOT }).sort();
const filesOf = new Map<string, string[]>();
for (const file of files) {
  for (const name of exportedNames(file)) {
    filesOf.set(name, [...(filesOf.get(name) ?? []), file]);
  }
}

const ambiguous = [...filesOf].filter(([, declaring]) => declaring.length > 1).sort();
for (const [name, declaring] of ambiguous) console.log(`${name}: ${declaring.join(', ')}`);
console.log(
  ambiguous.length === 0
    ? `All ${filesOf.size} exported names have one meaning.`
    : `${ambiguous.length} of ${filesOf.size} exported names are declared in more than one file. Rename all but one.`,
);
process.exitCode = ambiguous.length === 0 ? 0 : 1;

/** The names that a file declares and exports, each once. */
function exportedNames(file: string): Set<string> {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest);
  const declared = new Set(source.statements.flatMap(declaredNames));
  const names = new Set<string>();
  for (const statement of source.statements) {
    if (isExported(statement)) {
      for (const name of declaredNames(statement)) names.add(name);
    }
    // `export { a, b as c };` exports what this file declares, or passes on what it imports.
    if (ts.isExportDeclaration(statement) && !statement.moduleSpecifier && statement.exportClause) {
      if (!ts.isNamedExports(statement.exportClause)) continue;
      for (const { name, propertyName } of statement.exportClause.elements) {
        if (declared.has((propertyName ?? name).text)) names.add(name.text);
      }
    }
  }
  return names;
}

function isExported(statement: ts.Statement): boolean {
  if (!ts.canHaveModifiers(statement)) return false;
  const kinds = ts.getModifiers(statement)?.map(({ kind }) => kind) ?? [];
  return kinds.includes(ts.SyntaxKind.ExportKeyword) && !kinds.includes(ts.SyntaxKind.DefaultKeyword);
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  }
  const named =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return named && statement.name ? [statement.name.text] : [];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}
