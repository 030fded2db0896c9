/**
 * Writes docs/api/: a page for each door of the library, every name with its declaration and what its comment says. With
 * `--check` it writes nothing: it exits with 1 when a page is not what it would write, or a public name has no comment.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import * as prettier from 'prettier';

const root = resolve(import.meta.dirname, '..');
const DOORS = [
  { entry: 'src/app/index.ts', name: 'crypto-trader', page: 'docs/api/crypto-trader.md' },
  { entry: 'src/app/networks.ts', name: 'crypto-trader/networks', page: 'docs/api/networks.md' },
  { entry: 'src/lab/contracts/index.ts', name: 'crypto-trader/testing', page: 'docs/api/testing.md' },
];

const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')).config,
  ts.sys,
  root,
);
const program = ts.createProgram(
  DOORS.map(({ entry }) => join(root, entry)),
  config.options,
);
const checker = program.getTypeChecker();

interface Entry {
  readonly name: string;
  readonly kind: 'function' | 'value' | 'type';
  readonly declaration: string;
  readonly about: string;
  readonly file: string;
}

function entriesOf(entry: string): readonly Entry[] {
  const source = program.getSourceFile(join(root, entry));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`"${entry}" is no module.`);
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const node = symbol.declarations?.[0];
    if (node === undefined || node.getSourceFile().fileName.includes('node_modules')) return [];
    const name = exported.getName();
    const about = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    const file = relative(root, node.getSourceFile().fileName);
    return [{ name, about, file, ...declared(name, symbol, node) }];
  });
}

function declared(
  name: string,
  symbol: ts.Symbol,
  node: ts.Declaration,
): Pick<Entry, 'kind' | 'declaration'> {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node)) {
    const text = ts.isClassDeclaration(node)
      ? node.getText().replace(/\{[\s\S]*$/, '{ ... }')
      : node.getText();
    return { kind: 'type', declaration: text.replace(/^export /, '') };
  }
  const type = checker.getTypeOfSymbolAtLocation(symbol, node);
  const [signature] = type.getCallSignatures();
  const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
  if (signature === undefined)
    return { kind: 'value', declaration: `const ${name}: ${checker.typeToString(type, node, flags)}` };
  return {
    kind: 'function',
    declaration: `function ${name}${checker.signatureToString(signature, node, flags)}`,
  };
}

const TITLES = { function: 'Functions', value: 'Values', type: 'Types' } as const;

const page = (door: string, entries: readonly Entry[]): string => `# ${door}

What \`import ... from '${door}'\` brings. Made from the source by \`npm run api\`; what is not here may change without notice.

${(['function', 'value', 'type'] as const)
  .map((kind) => {
    const of = entries.filter((one) => one.kind === kind).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (of.length === 0) return '';
    return `## ${TITLES[kind]}\n\n${of.map(section).join('\n\n')}`;
  })
  .join('\n\n')}
`;

const section = ({ name, declaration, about, file }: Entry): string =>
  `### ${name}\n\n${about}\n\n\`\`\`ts\n${declaration}\n\`\`\`\n\n[${file}](../../${file})`;

const check = process.argv.includes('--check');
let faults = 0;
for (const { entry, name, page: file } of DOORS) {
  const entries = entriesOf(entry);
  for (const one of entries.filter(({ about }) => about.trim() === '')) {
    console.log(`${one.file}: ${one.name} is public and has no comment`);
    faults++;
  }
  const path = join(root, file);
  const options = await prettier.resolveConfig(path);
  const text = await prettier.format(page(name, entries), { ...options, filepath: path });
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.log(`${file} is not what the source says: run \`npm run api\``);
    faults++;
  }
}
process.exitCode = faults > 0 ? 1 : 0;
