import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { layOut } from '../../scripts/package.ts';

const root = resolve(import.meta.dirname, '../..');
const Package = z.object({
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  bundleDependencies: z.array(z.string()).optional(),
});
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});
const packageOf = (folder: string) =>
  Package.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));

describe('the package that users install', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'crypto-trader-package-'));
    layOut(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('carries ONNX Runtime without its install script, which asks another host than npm’s registry', () => {
    expect(packageOf(join(root, 'node_modules/onnxruntime-node')).scripts).toHaveProperty('postinstall');
    expect(packageOf(folder).bundleDependencies).toEqual(['onnxruntime-node']);
    const bundled = readdirSync(join(folder, 'node_modules')).map((name) => join('node_modules', name));
    const ofInstalls = ['preinstall', 'install', 'postinstall'];
    for (const part of ['.', ...bundled])
      expect(Object.keys(packageOf(join(folder, part)).scripts ?? {}), part).not.toEqual(
        expect.arrayContaining([expect.stringMatching(new RegExp(`^(${ofInstalls.join('|')})$`))]),
      );
  });

  it('carries all of it that is used: it loads from there, with its libraries', () => {
    const runtime = join(folder, 'node_modules/onnxruntime-node');
    const code = `console.log(typeof require(${JSON.stringify(runtime)}).InferenceSession.create)`;
    expect(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })).toBe('function\n');
    // The script itself, for those who want CUDA, finds what it needs; told to skip, it ends at once.
    const environment = { PATH: process.env['PATH'], ONNXRUNTIME_NODE_INSTALL: 'skip' };
    execFileSync(process.execPath, [join(runtime, 'script/install.js')], { env: environment });
  });

  it('brings no other install script but those that were read and need no network', () => {
    const { packages } = Lock.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
    const scripted = Object.entries(packages).filter(
      ([, { dev, devOptional, hasInstallScript }]) => hasInstallScript && !dev && !devOptional,
    );
    // They print thanks, compare a version, and look for a compiled binary that is in the package.
    expect(scripted.map(([path]) => path.replace('node_modules/', '')).toSorted()).toEqual([
      'bufferutil',
      'ccxt',
      'msgpackr-extract',
      'onnxruntime-node',
      'protobufjs',
    ]);
  });
});
