/**
 * Lists exported functions, classes and constants of src/ that no other file mentions: dead, or needlessly
 * exported. By name, so a destructured dynamic import counts as a use. Exits with 1 when there are any.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const files = ['src', 'bin', 'tests', 'bench', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|tsx|js|mjs)$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => join(root, folder, file)),
);

const exported: { readonly name: string; readonly file: string }[] = [];
const mentions = new Map<string, Set<string>>();
for (const file of files) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  if (file.startsWith(join(root, 'src'))) {
    for (const name of exportedValues(source)) exported.push({ name, file });
  }
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const known = mentions.get(node.text) ?? new Set();
      mentions.set(node.text, known.add(file));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

const unused = exported.filter(({ name, file }) => {
  const where = mentions.get(name);
  return where === undefined || [...where].every((other) => other === file);
});
for (const { name, file } of unused)
  console.log(`${relative(root, file)}: ${name} is exported and used nowhere else`);
process.exitCode = unused.length > 0 ? 1 : 0;

function exportedValues(source: ts.SourceFile): string[] {
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    if (!modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      return statement.name ? [statement.name.text] : [];
    }
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name }) =>
      ts.isIdentifier(name) ? [name.text] : [],
    );
  });
}
