/**
 * Lists exported functions, classes and constants of src/ that the program itself does not use: dead, needlessly
 * exported, or there for tests alone. Tests are no users: what no file of the program mentions has to go, to move to
 * tests, or to be exported by a door of the library. A piece that its own file uses may be exported to be tested by
 * itself. By name, so a destructured dynamic import counts as a use. Exits with 1 when there are any.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const filesIn = (folders: readonly string[]): readonly string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|tsx|js|mjs)$/.test(file) && !file.endsWith('.d.ts'))
      .map((file) => join(root, folder, file)),
  );

/** How often each file mentions each name. */
function mentionsIn(files: readonly string[]): Map<string, Map<string, number>> {
  const mentions = new Map<string, Map<string, number>>();
  for (const file of files) {
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) {
        const known = mentions.get(node.text) ?? new Map<string, number>();
        mentions.set(node.text, known.set(file, (known.get(file) ?? 0) + 1));
      }
      ts.forEachChild(node, visit);
    };
    visit(parse(file));
  }
  return mentions;
}

const parse = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);

const program = mentionsIn(filesIn(['src', 'bin', 'bench', 'scripts', 'examples']));
const tests = mentionsIn(filesIn(['tests']));
const unused = filesIn(['src']).flatMap((file) =>
  exportedValues(parse(file)).flatMap((name) => {
    const where = program.get(name);
    if ([...(where?.keys() ?? [])].some((other) => other !== file)) return [];
    const own = (where?.get(file) ?? 0) > 1;
    if (own && tests.has(name)) return [];
    return [{ name, file, why: tests.has(name) ? 'used by tests alone' : 'exported and used nowhere else' }];
  }),
);
for (const { name, file, why } of unused) console.log(`${relative(root, file)}: ${name} is ${why}`);
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
