import ts from 'typescript';
import { read } from './write.ts';

/** The docstrings of a model file by what they stand at: the properties of its objects, then its constants. */
export function parseComments(path: string): Map<string, string> {
  const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const properties = new Map<string, string>();
  const constants = new Map<string, string>();
  const visit = (node: ts.Node) => {
    const isProperty = ts.isPropertyAssignment(node);
    if (isProperty || ts.isVariableDeclaration(node)) {
      const about = commentOf(node);
      if (about) (isProperty ? properties : constants).set(node.name.getText(), about);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return new Map([...constants, ...properties]);
}

/** The members of an interface with their types, for what has no schema. */
export function parseMembers(path: string, name: string): { name: string; type: string; about: string }[] {
  const file = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const found = file.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
  if (!found || !ts.isInterfaceDeclaration(found)) throw new Error(`${path} has no interface ${name}`);
  return found.members.filter(ts.isPropertySignature).map((member) => ({
    name: `${member.name.getText()}${member.questionToken ? '?' : ''}`,
    type: member.type?.getText() ?? '',
    about: commentOf(member),
  }));
}

function commentOf(node: ts.Node): string {
  const [last] = ts.getJSDocCommentsAndTags(node).slice(-1);
  if (!last || !ts.isJSDoc(last)) return '';
  return (ts.getTextOfJSDocComment(last.comment) ?? '').replace(/\s+/g, ' ').trim();
}
