/**
 * `npm run bench` measures everything but what takes long, `npm run bench -- data slopes` those parts. Prints a table, and
 * writes the same figures with the machine's description to bench/results/<time>.json.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { BenchRow } from './bench.ts';

interface BenchModule {
  run(): Promise<readonly BenchRow[]>;
}

const here = import.meta.dirname;
const NOT_PARTS = new Set(['main.ts', 'bench.ts', 'program.ts']);
/** Take minutes each: measured only where they are asked for. */
const LONG = new Set(['panel', 'slopes']);
const parts = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && !NOT_PARTS.has(file))
  .map((file) => file.slice(0, -3));
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !parts.includes(part));
if (unknown.length > 0) throw new Error(`No benchmark "${unknown.join(', ')}". Known: ${parts.join(', ')}.`);
if (!existsSync(join(here, '../dist/app/cli/main.js'))) throw new Error('Run `npm run build` first.');

const results: (BenchRow & { part: string })[] = [];
for (const part of asked.length > 0 ? asked : parts.filter((name) => !LONG.has(name))) {
  const module = (await import(`./${part}.ts`)) as BenchModule;
  console.error(`measuring ${part} ...`);
  try {
    for (const row of await module.run()) results.push({ part, ...row });
  } catch (error) {
    // What the other parts took an hour to measure is not lost with it.
    console.error(error);
    process.exitCode = 1;
  }
}

const number = (value: number): string => value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
const table = new Table({
  head: ['part', 'figure', 'value', 'target', 'peer or limit', 'note'],
  style: { head: [] },
});
for (const { part, name, value, unit, target = '', peer, note = '' } of results) {
  const against = peer ? `${peer.name}: ${number(peer.value)} (${number(value / peer.value)} x)` : '';
  table.push([part, name, `${number(value)} ${unit}`, target, against, note]);
}
console.log(table.toString());

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
const folder = join(here, 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().replace(/[:.]/g, '-')}.json`);
writeFileSync(file, JSON.stringify({ machine, results }, undefined, 2));
console.log(`${machine.cores} x ${machine.cpu}, Node ${machine.node}. JSON: ${file}`);
