/**
 * `npm run kernels` compiles kernels/*.ts (AssemblyScript) into src/. The result is committed, so that nobody needs the
 * compiler to build or run the program; a test compiles it again and compares.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import asc from 'assemblyscript/asc';

const root = resolve(import.meta.dirname, '..');
const PAGES = '16384'; // of 64 KiB: 1 GiB, what src/learning/learners/wasm/kernel.ts asks for

/** Sources and what is made of them. */
export const KERNELS = [
  { source: 'kernels/mlp.ts', target: 'src/learning/learners/agent/kernel-code.ts' },
  { source: 'kernels/trees.ts', target: 'src/learning/learners/trees/kernel-code.ts' },
  { source: 'kernels/features.ts', target: 'src/core/features/columns/kernel-code.ts' },
  { source: 'kernels/resampling.ts', target: 'src/core/evaluation/resampling-code.ts' },
] as const;

/** The module that holds the compiled kernel, as text. */
export async function compileKernel(source: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-kernels-'));
  const outFile = join(folder, 'kernel.wasm');
  // What the core runs has a memory of its own, as large as it needs; what learns shares one between threads.
  const memory =
    source === 'kernels/features.ts' || source === 'kernels/resampling.ts'
      ? ['--importMemory', '--initialMemory', '1', '--exportTable']
      : ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', PAGES];
  const options = ['--runtime', 'stub', '--enable', 'simd,threads', '-O3', '--noAssert', '--baseDir', root];
  const { error } = await asc.main([source, ...options, ...memory, '--outFile', outFile]);
  if (error) throw error;
  const code = readFileSync(outFile).toString('base64');
  rmSync(folder, { recursive: true });
  const lines = code.match(/.{1,100}/g) ?? [];
  return [
    `/** WebAssembly of ${source}, made by \`npm run kernels\`. */`,
    'export const KERNEL_CODE =',
    ...lines.map((line, i) => `  '${line}'${i + 1 < lines.length ? ' +' : ';'}`),
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename) {
  for (const { source, target } of KERNELS) writeFileSync(join(root, target), await compileKernel(source));
}
