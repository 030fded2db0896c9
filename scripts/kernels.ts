/**
 * `npm run kernels` compiles kernels/mlp.ts (AssemblyScript) into src/models/agent/kernel-code.ts. The result is
 * committed, so that nobody needs the compiler to build or run the program; a test compiles it again and compares.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import asc from 'assemblyscript/asc';

const root = resolve(import.meta.dirname, '..');
const PAGES = '16384'; // of 64 KiB: 1 GiB, what kernel.ts asks for

/** The module that holds the compiled kernels, as text. */
export async function compileKernels(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-kernels-'));
  const outFile = join(folder, 'mlp.wasm');
  const memory = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', PAGES];
  const options = ['--runtime', 'stub', '--enable', 'simd,threads', '-O3', '--noAssert', '--baseDir', root];
  const { error } = await asc.main(['kernels/mlp.ts', ...options, ...memory, '--outFile', outFile]);
  if (error) throw error;
  const code = readFileSync(outFile).toString('base64');
  rmSync(folder, { recursive: true });
  const lines = code.match(/.{1,100}/g) ?? [];
  return [
    '/** WebAssembly of kernels/mlp.ts, made by `npm run kernels`. */',
    'export const KERNEL_CODE =',
    ...lines.map((line, i) => `  '${line}'${i + 1 < lines.length ? ' +' : ';'}`),
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(root, 'src/models/agent/kernel-code.ts'), await compileKernels());
}
