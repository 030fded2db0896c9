/**
 * How many small faults the tests of a room notice: one operator, number, condition or statement of a file is changed at a
 * time, in a copy of the repository, and the tests of the room are run, the quick ones first, until one fails.
 * `npm run mutate -- src/core/evaluation src/core/trading --sample 60 --seed 1` prints the score of each and what survived.
 * What was judged is kept in node_modules/.cache/mutants, so that a run that was stopped goes on: a death for as long
 * as the mutated file is the same, a survival until the room's tests change as well.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { z } from 'zod';
import { createRandom, shuffle } from '../src/core/foundation/random.ts';

interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const OPERATORS = new Map<ts.SyntaxKind, readonly string[]>([
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['/']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.LessThanToken, ['<=', '>']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
  [ts.SyntaxKind.PlusEqualsToken, ['-=']],
  [ts.SyntaxKind.MinusEqualsToken, ['+=']],
  [ts.SyntaxKind.AsteriskEqualsToken, ['/=']],
  [ts.SyntaxKind.SlashEqualsToken, ['*=']],
]);

const Report = z.object({
  testResults: z.array(z.object({ name: z.string(), startTime: z.number(), endTime: z.number() })),
});

const root = resolve(import.meta.dirname, '..');
const { values: options, positionals: rooms } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});
if (rooms.length === 0)
  throw new Error('Found no folder; expected some of src/, such as src/core/evaluation.');

const copy = mkdtempSync(join(tmpdir(), 'crypto-trader-mutants-'));
for (const name of ['src', 'tests', 'package.json', 'tsconfig.json'])
  cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
let running: ReturnType<typeof spawn> | undefined;
process.on('exit', () => {
  running?.kill('SIGKILL');
  rmSync(copy, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

const Kept = z.record(z.string(), z.string());
for (const room of rooms) await judge(room.replace(/\/$/, ''));

async function judge(room: string): Promise<void> {
  const tests = room.replace(/^src/, 'tests');
  const cache = join(root, 'node_modules/.cache/mutants', `${room.replaceAll('/', '-')}.json`);
  const kept = existsSync(cache) ? Kept.parse(JSON.parse(readFileSync(cache, 'utf8'))) : {};
  const before = await run(tests, [], 600_000);
  if (!before.passed)
    throw new Error(`The tests in ${tests} fail before anything is changed:\n${before.said}`);
  const files = namesIn(room).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  const all = files.flatMap((file) => mutantsOf(file));
  const order = Int32Array.from(all.keys());
  shuffle(order, createRandom(Number(options.seed)));
  const sample = [...order].slice(0, Number(options.sample)).map((i) => all[i]);
  const proof = hashOf(namesIn(tests));

  let killed = 0;
  for (const [i, { file, start, end, text }] of sample.entries()) {
    const whole = readFileSync(join(copy, file), 'utf8');
    const name = `${file} ${hashOf([file])} ${start}-${end} ${text}`;
    if (kept[name] !== 'killed' && kept[name] !== proof) {
      writeFileSync(join(copy, file), whole.slice(0, start) + text + whole.slice(end));
      // A loop that no longer ends is noticed too.
      const { passed } = await run(tests, before.quickFirst, 10_000 + 5 * before.ms);
      writeFileSync(join(copy, file), whole);
      kept[name] = passed ? proof : 'killed';
      mkdirSync(dirname(cache), { recursive: true });
      writeFileSync(cache, JSON.stringify(kept, undefined, 1));
    }
    if (kept[name] === 'killed') {
      killed++;
      continue;
    }
    const line = whole.slice(0, start).split('\n').length;
    const was = whole.slice(start, end).split('\n')[0];
    console.log(`${i + 1}/${sample.length} survived ${file}:${line}: ${was} -> ${text}`);
    console.log(`    ${whole.split('\n')[line - 1].trim()}`);
  }
  const share = ((100 * killed) / sample.length).toFixed(1);
  console.log(
    `${room}: ${killed} of ${sample.length} killed (${share} %), of ${all.length} mutants, seed ${options.seed}`,
  );
}

function mutantsOf(file: string): readonly Mutant[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(copy, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: Mutant[] = [];
  const change = (node: ts.Node, text: string): void =>
    void found.push({ file, start: node.getStart(source), end: node.getEnd(), text });
  const visit = (node: ts.Node): void => {
    // Types do not run, and what an error says is for people to judge.
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isThrowStatement(node)) return;
    if (ts.isImportDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isCallExpression(node) && node.expression.getText(source) === 'invariant') return;
    if (ts.isBinaryExpression(node) && !isText(node.left) && !isText(node.right)) {
      for (const text of OPERATORS.get(node.operatorToken.kind) ?? []) change(node.operatorToken, text);
    }
    if (ts.isNumericLiteral(node)) change(node, node.text === '0' ? '1' : `(${node.text} + 1)`);
    if (ts.isPrefixUnaryExpression(node)) {
      if (node.operator === ts.SyntaxKind.ExclamationToken) change(node, node.operand.getText(source));
      if (node.operator === ts.SyntaxKind.MinusToken) change(node, `(${node.operand.getText(source)})`);
    }
    if (ts.isConditionalExpression(node)) for (const text of ['true', 'false']) change(node.condition, text);
    if (ts.isIfStatement(node)) for (const text of ['true', 'false']) change(node.expression, text);
    if (ts.isExpressionStatement(node)) change(node, ';');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** Runs the tests of a folder in one worker, in the order of `quickFirst`, until one fails. */
async function run(
  tests: string,
  quickFirst: readonly string[],
  limitMs: number,
): Promise<{ passed: boolean; quickFirst: readonly string[]; ms: number; said: string }> {
  // The repository's own settings compile the whole program first, which these tests do not start.
  writeFileSync(
    join(copy, 'vitest.config.mjs'),
    `const order = ${JSON.stringify(quickFirst)};
     const sort = (files) => [...files].sort((a, b) => order.indexOf(a.moduleId) - order.indexOf(b.moduleId));
     class Sequencer { shard(files) { return files; } sort(files) { return sort(files); } }
     export default { test: {
       include: ['${tests}/**/*.test.ts'], pool: 'threads', maxWorkers: 1, isolate: false, bail: 1,
       testTimeout: 60_000, env: { TZ: 'UTC', NODE_ENV: 'production' }, sequence: { sequencer: Sequencer },
       reporters: [['json', { outputFile: 'report.json' }]],
     } };`,
  );
  rmSync(join(copy, 'report.json'), { force: true });
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run'], {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += String(bytes)));
  const started = performance.now();
  const late = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const status = await new Promise((done) => child.once('close', done));
  clearTimeout(late);
  running = undefined;
  const passed = status === 0;
  const written = join(copy, 'report.json');
  // Only a test that failed, never ended or took its worker down has noticed anything: a run that could not start has not.
  const isBrokenOff = child.killed || said.includes('Worker exited unexpectedly');
  if (!isBrokenOff && !existsSync(written))
    throw new Error(`vitest ended with ${String(status)} and no report:\n${said}`);
  const report = passed ? Report.parse(JSON.parse(readFileSync(written, 'utf8'))).testResults : [];
  const sorted = report.sort((a, b) => a.endTime - a.startTime - (b.endTime - b.startTime));
  return { passed, quickFirst: sorted.map(({ name }) => name), ms: performance.now() - started, said };
}

function namesIn(folder: string): readonly string[] {
  return readdirSync(join(copy, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(copy.length + 1))
    .sort();
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(copy, file)));
  return hash.digest('hex').slice(0, 12);
}
