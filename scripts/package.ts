/**
 * `npm run package` compiles and packs what users install: `crypto-trader-<version>.tgz`, in the current folder, or where
 * `npm run package -- --pack-destination <folder>` says. It carries
 * onnxruntime-node without that package's install script, which asks another host than npm's registry for CUDA
 * libraries and fails the whole install where none answers. The bytes are the same: onnxruntime-node is downloaded either way.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { bundleProgram } from '../bin/bundle.js';

const root = resolve(import.meta.dirname, '..');
const RUNTIME = 'onnxruntime-node';
const Package = z.looseObject({
  version: z.string(),
  files: z.array(z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
});

const readPackage = (folder: string) =>
  Package.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));

const writePackage = (folder: string, content: Readonly<Record<string, unknown>>): void =>
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(content, undefined, 2)}\n`);

/** Lays out in `folder` what is packed, all but the compiled sources. */
export function layOut(folder: string): void {
  const { scripts: _, devDependencies: __, allowScripts: ___, workspaces: ____, ...own } = readPackage(root);
  for (const name of [...(own.files ?? []), 'LICENSE', 'CHANGELOG.md'].filter((file) => file !== 'dist'))
    cpSync(join(root, name), join(folder, name), { recursive: true });
  writePackage(folder, { ...own, bundleDependencies: [RUNTIME] });

  for (const name of withDependencies(RUNTIME)) {
    const [from, to] = [root, folder].map((one) => join(one, 'node_modules', name));
    cpSync(from, to, { recursive: true });
  }
  // What the script needs stays with it: who has the hardware runs it by hand (see src/learning/engine/devices.ts).
  const bundled = join(folder, 'node_modules', RUNTIME);
  const { scripts: _scripts, devDependencies: _dev, ...rest } = readPackage(bundled);
  rmSync(join(bundled, 'package.json'));
  writePackage(bundled, rest);
}

/** The package and all that it needs, as they lie side by side in node_modules. */
function withDependencies(name: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found;
  found.add(name);
  const { dependencies = {} } = readPackage(join(root, 'node_modules', name));
  for (const one of Object.keys(dependencies)) withDependencies(one, found);
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-package-'));
  try {
    layOut(folder);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--declaration', '--outDir', join(folder, 'dist'), '--tsBuildInfoFile', 'null'];
    execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...options], {
      stdio: 'inherit',
    });
    await bundleProgram(join(folder, 'dist'));
    const page = ['build', join(root, 'web'), '--outDir', join(folder, 'dist/web'), '--emptyOutDir'];
    execFileSync(process.execPath, [
      join(root, 'node_modules/vite/bin/vite.js'),
      ...page,
      '--logLevel',
      'error',
    ]);
    execFileSync('npm', ['pack', folder, '--loglevel', 'error', ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
