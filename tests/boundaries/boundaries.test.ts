import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'boundaries-'));
  for (const entry of [
    'src',
    'bin',
    'package.json',
    'tsconfig.json',
    'tsconfig.pure.json',
    '.dependency-cruiser.cjs',
    'eslint.config.js',
  ])
    cpSync(join(root, entry), join(copy, entry), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true }));

function plant(file: string, source: string, tool: readonly string[]): string {
  const path = join(copy, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
  try {
    const { stdout, stderr } = spawnSync('npx', [...tool], { cwd: copy, encoding: 'utf8' });
    return stdout + stderr;
  } finally {
    rmSync(path);
  }
}

/** A file that breaks a rule, and the rule. */
const VIOLATIONS = [
  [
    'src/core/market/planted-1.ts',
    `import { loadConfig } from '../../app/config/load.ts'; export const x = loadConfig;`,
    'core-imports-only-from-below',
  ],
  [
    'src/core/market/planted-2.ts',
    `import { stepBar } from '../trading/step.ts'; export const x = stepBar;`,
    'core-market-imports-only-from-below',
  ],
  [
    'src/learning/ensemble/planted-3.ts',
    `import { models } from '../models/registry.ts'; export const x = models;`,
    'learning-ensemble-imports-only-from-below',
  ],
  [
    'src/desk/paper/planted-4.ts',
    `import { backtest } from '../../lab/backtest/backtest.ts'; export const x = backtest;`,
    'desk-imports-only-from-below',
  ],
  [
    'src/app/report/planted-5.ts',
    `import { loadConfig } from '../config/load.ts'; export const x = loadConfig;`,
    'config-is-read-by-the-doors-alone',
  ],
  [
    'src/core/trading/planted-6.ts',
    `import { readFileSync } from 'node:fs'; export const x = readFileSync;`,
    'core-does-no-io',
  ],
  [
    'src/core/features/planted-7.ts',
    `import limit from 'p-limit'; export const x = limit;`,
    'core-does-no-io',
  ],
  [
    'src/desk/paper/planted-8.ts',
    `import * as ccxt from 'ccxt'; export const x = ccxt;`,
    'only-the-exchange-knows-ccxt',
  ],
  [
    'src/learning/training/planted-9.ts',
    `import pl from 'nodejs-polars'; export const x = pl;`,
    'only-the-store-knows-polars',
  ],
  [
    'src/learning/models/planted-10.ts',
    `import * as ort from 'onnxruntime-node'; export const x = ort;`,
    'only-engine-knows-onnx-runtime',
  ],
  [
    'src/lab/backtest/planted-11.ts',
    `import * as tf from '@tensorflow/tfjs-core'; export const x = tf;`,
    'only-engine-and-networks-know-tensorflow',
  ],
] as const;

describe('a planted violation is caught', () => {
  let found: string;
  /** All of them in one look at the whole program. */
  beforeAll(() => {
    for (const [file, source] of VIOLATIONS) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), source);
    }
    const args = ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'bin'];
    found = spawnSync('npx', args, { cwd: copy, encoding: 'utf8' }).stdout;
    for (const [file] of VIOLATIONS) rmSync(join(copy, file));
  });

  it.each(VIOLATIONS)('%s: %s', (file, _, rule) => {
    expect(found.split('\n').filter((line) => line.includes(`${rule}: ${file} `))).toHaveLength(1);
  });

  it('the compiler rejects the environment in pure folders', () => {
    const tsc = ['tsc', '-p', 'tsconfig.pure.json', '--incremental', 'false', '--tsBuildInfoFile', 'null'];
    expect(plant('src/core/market/planted.ts', 'export const x = process.env;', tsc)).toContain("'process'");
  });

  it('the linter rejects clocks and chance in pure folders', () => {
    const lint = ['eslint', 'src/core/market/planted.ts'];
    const found = plant(
      'src/core/market/planted.ts',
      'export const x = Date.now() + Number(new Date()) + Math.random();',
      lint,
    );
    expect(found).toContain('The core has no clock');
    expect(found).toContain('Random');
  });
});
