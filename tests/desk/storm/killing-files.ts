import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

export const MOMENTS = ['before', 'half', 'after'] as const;

/** The operation on files, counted from 0, that is the last thing this process does, or begins to do: SIGKILL follows. */
export interface Death {
  readonly operation: number;
  readonly moment: (typeof MOMENTS)[number];
}

type Work = (...args: unknown[]) => unknown;

let count = 0;
let death: Death | undefined;

/** Counts from here on. */
export function dieAt(at: Death | undefined): void {
  count = 0;
  death = at;
}

export const operations = (): number => count;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** In place of `name` of `target`: the same, or the end of this process. */
function strike(target: object, name: string, half?: (work: Work, args: unknown[]) => unknown): void {
  const work = (Reflect.get(target, name) as Work).bind(target);
  Reflect.set(target, name, (...args: unknown[]): unknown => {
    if (count++ !== death?.operation) return work(...args);
    try {
      const done =
        death.moment === 'after' ? work(...args) : death.moment === 'half' ? half?.(work, args) : undefined;
      // An operation that fails is the last one, too: a folder that is there already.
      return done instanceof Promise ? done.then(die, die) : die();
    } catch {
      return die();
    }
  });
}

const halved = (content: unknown): unknown => {
  if (content instanceof Uint8Array) return content.subarray(0, content.length >> 1);
  const text = String(content);
  return text.slice(0, text.length >> 1);
};
const halfContent = (work: Work, [content, ...rest]: unknown[]): unknown => work(halved(content), ...rest);
const halfFile = (work: Work, [path, content, ...rest]: unknown[]): unknown =>
  work(path, halved(content), ...rest);

const strikeHandle = (handle: FileHandle): FileHandle => {
  strike(handle, 'write', (work, [bytes, ...rest]) =>
    bytes instanceof Uint8Array && typeof rest[1] === 'number'
      ? work(bytes, rest[0], rest[1] >> 1)
      : work(halved(bytes), ...rest),
  );
  for (const name of ['writeFile', 'appendFile']) strike(handle, name, halfContent);
  for (const name of ['sync', 'datasync', 'truncate']) strike(handle, name);
  return handle;
};

// Whoever imports functions of these modules gets these, if this module is loaded first.
for (const name of ['rename', 'link', 'rm', 'unlink', 'mkdir', 'rmdir', 'copyFile', 'truncate']) {
  strike(fs.promises, name);
  strike(fs, `${name}Sync`);
}
for (const name of ['writeFile', 'appendFile']) {
  strike(fs.promises, name, halfFile);
  strike(fs, `${name}Sync`, halfFile);
}
const { open } = fs.promises;
fs.promises.open = async (...args) => strikeHandle(await open(...args));
syncBuiltinESMExports();
