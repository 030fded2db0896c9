import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const start = resolve(import.meta.dirname, '../../dist/start');
const text = (name: string): string => readFileSync(join(start, name), 'utf8');

/** Packages and pieces that a piece loads as soon as it is loaded. */
const importsOf = (name: string): readonly string[] =>
  [
    ...text(name).matchAll(/^(?:import|\} from|export .* from)\s?(?:[^'"\n(]* from )?["']([^"']+)["'];$/gm),
  ].map(([, from = '']) => from);

function loadedBy(piece: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(piece)) return found;
  found.add(piece);
  if (piece.startsWith('./')) for (const one of importsOf(piece)) loadedBy(one, found);
  return found;
}

const packagesOf = (loaded: ReadonlySet<string>): readonly string[] =>
  [...loaded].filter((one) => !/^(\.|node:)/.test(one) && !builtinModules.includes(one));

it('the program starts from a few files and no package: help and errors come at once', () => {
  const loaded = loadedBy('./main.mjs');
  expect(packagesOf(loaded)).toEqual([]);
  expect(loaded.size).toBeLessThan(40);
});

it('a thread that computes features starts from one file', () => {
  const loaded = loadedBy('./feature-worker.mjs');
  expect([...loaded].filter((one) => !builtinModules.includes(one.replace('node:', '')))).toEqual([
    './feature-worker.mjs',
  ]);
});

it('every package in the bundle has its licence beside it', () => {
  const pieces = new Set(['./main.mjs']);
  // A set goes on to what is added to it meanwhile.
  for (const piece of pieces)
    for (const [name] of text(piece).matchAll(/\.\/[\w-]+\.mjs(?=["'])/g)) pieces.add(name);
  const inside = new Set(
    [...pieces]
      .flatMap((name) => [...text(name).matchAll(/^\/\/ .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)])
      .map(([, name]) => name),
  );
  expect(inside.size).toBeGreaterThan(20);
  const licences = text('LICENSES.txt');
  const lacking = [...inside].filter((name) => !new RegExp(`^${name} \\d`, 'm').test(licences));
  expect(lacking).toEqual([]);
});
