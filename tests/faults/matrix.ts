import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/foundation/errors.ts';
import { temporaryFolder } from '../support/folder.ts';

/**
 * The fault matrix: a row for every edge of the program to the world, a column for every fault. A cell says what is promised:
 * `works`, or the message of the `UserError` (exit code 1, with path and cause). `none` marks a cell that does not
 * exist, with why. `npm test` counts the cells.
 */
export type Cell = 'works' | RegExp | { readonly none: string };
export const none = (why: string): Cell => ({ none: why });

const FAULTS = [
  'absent',
  'denied',
  'full',
  'short write',
  'damaged',
  'huge',
  'hostile',
  'late',
  'repeated',
  'reordered',
] as const;
export type Fault = (typeof FAULTS)[number];
export type Row = Readonly<Record<Fault, Cell>>;

export const notWritten = none('it is only read');
export const aFolder = /it is a folder, not a file/;
export const aPipe = /it is a pipe, not a file/;

/** What comes of `work`; whatever is no `UserError` would be called a bug of the program, with its stack. */
export async function outcome(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'works';
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

export async function check(cell: Cell, work: () => unknown): Promise<void> {
  const found = await outcome(work);
  if (cell === 'works') expect(found).toBe('works');
  else if (cell instanceof RegExp) expect(found).toMatch(cell);
}

export function cellsOf<T extends { readonly name: string; readonly cells: Row }>(edges: readonly T[]) {
  return edges.flatMap((edge) =>
    FAULTS.map((fault) => ({ edge, fault, cell: edge.cells[fault] })).filter(
      ({ cell }) => cell === 'works' || cell instanceof RegExp,
    ),
  );
}

export interface ReadEdge {
  readonly name: string;
  /** Puts a good file there and says where it is. */
  readonly prepare: (folder: string) => Promise<string> | string;
  readonly read: (path: string, folder: string) => unknown;
  /** The same content twice, and in another order. */
  readonly repeated?: (good: Buffer) => string | Buffer;
  readonly reordered?: (good: Buffer) => string | Buffer;
  readonly cells: Row;
}

/** A test for each cell that exists. */
export function describeReads(title: string, edges: readonly ReadEdge[]): void {
  describe.skipIf(process.platform === 'win32')(title, () => {
    it.each(cellsOf(edges))('$edge.name, $fault: $cell', async ({ edge, fault, cell }) => {
      const folder = temporaryFolder();
      const path = await edge.prepare(folder);
      damage(fault, path, edge);
      await check(cell, () => edge.read(path, folder));
    });
  });
}

export const reversedKeys = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value;

function damage(fault: Fault, path: string, edge: ReadEdge): void {
  const good = readFileSync(path);
  rmSync(path);
  switch (fault) {
    case 'absent':
      return;
    case 'denied': // what root may not read either
      mkdirSync(path);
      return;
    case 'short write':
      writeFileSync(path, good.subarray(0, Math.floor(good.length * 0.6)));
      return;
    case 'damaged':
      writeFileSync(path, Buffer.from([0xff, 0x00, 0xc3, 0x28, ...good.subarray(0, 20)]));
      return;
    case 'huge':
      writeFileSync(path, path.endsWith('.gz') ? gzipSync(Buffer.alloc(2 ** 27, 'x')) : 'x');
      if (!path.endsWith('.gz')) truncateSync(path, 2 ** 27); // sparse: it takes no room
      return;
    case 'hostile':
      symlinkSync('/dev/zero', path);
      return;
    case 'late':
      execFileSync('mkfifo', [path]);
      return;
    case 'repeated':
      writeFileSync(path, edge.repeated?.(good) ?? good);
      return;
    case 'reordered':
      writeFileSync(path, edge.reordered?.(good) ?? good);
      return;
    case 'full':
      throw new Error('a file that is read is not written');
  }
}
