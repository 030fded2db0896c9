import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { build } from 'vite';
import type { Random } from '../../../src/core/foundation/random.ts';
import { type Death, MOMENTS } from './killing-files.ts';
import type { FromLife, Kind, ToLife } from './life.ts';

/** `life.ts` as JavaScript, with what it imports, which starts in a fraction of the time; whoever asks for it removes its folder. */
export async function bundleLives(): Promise<string> {
  // Below node_modules, where the packages with binaries are found, and as deep as sources are: they look for package.json.
  const outDir = join(import.meta.dirname, `../../../node_modules/.storm-${process.pid}`);
  await build({
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true, external: ['nodejs-polars', 'ccxt', 'libsql'] },
    build: {
      ssr: join(import.meta.dirname, 'life.ts'),
      ...{ outDir, emptyOutDir: true, target: 'node20' },
      rollupOptions: { output: { chunkFileNames: '[name]-[hash].js' } },
    },
  });
  return outDir;
}

/** What a life asks of whoever stands outside it. */
export type Answering = Readonly<Record<string, (...args: never[]) => unknown>>;

export type Ended =
  | { readonly killed: true }
  | { readonly killed: false; readonly operations: number; readonly result: unknown };

/** Processes that live one after another; the next one loads while one runs. */
export interface Lives {
  /** One life of this kind in its world, up to its end or its death. Throws when it fails. */
  live(kind: Kind, world: unknown, death: Death | undefined, answering?: Answering): Promise<Ended>;
  close(): void;
}

export function openLives(bundle: string): Lives {
  const waiting = new Map<Kind, ChildProcess>();
  const begin = (kind: Kind): ChildProcess =>
    fork(join(bundle, 'life.js'), [kind], { execArgv: [], serialization: 'advanced' });
  return {
    live: async (kind, world, death, answering = {}) => {
      const child = waiting.get(kind) ?? begin(kind);
      waiting.set(kind, begin(kind));
      let ended: Extract<FromLife, { kind: 'ended' }> | undefined;
      child.on('message', (told: FromLife) => {
        if (told.kind === 'ended') ended = told;
        else void answer(child, told, answering);
      });
      const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
      child.send({ kind: 'begin', world, death } satisfies ToLife);
      const [code, signal] = await exit;
      if (signal === 'SIGKILL') return { killed: true };
      if (code !== 0 || ended === undefined) throw new Error(`a life ended with ${code ?? signal}`);
      return { killed: false, operations: ended.operations, result: ended.result };
    },
    close: () => {
      for (const child of waiting.values()) child.kill('SIGKILL');
      waiting.clear();
    },
  };
}

async function answer(
  child: ChildProcess,
  { name, number, args }: Extract<FromLife, { kind: 'asked' }>,
  answering: Answering,
): Promise<void> {
  const work = answering[name] as (...given: unknown[]) => unknown;
  const told = await Promise.resolve(work(...args)).then(
    (value: unknown): ToLife => ({ kind: 'answered', number, value }),
    (error: unknown): ToLife => ({ kind: 'failed', number, message: String(error) }),
  );
  // It may have died meanwhile.
  if (child.connected) child.send(told, () => undefined);
}

/** One of the first so many operations. */
export const someDeath = (random: Random, operations: number): Death => ({
  operation: Math.floor(operations * random()),
  moment: MOMENTS[Math.floor(3 * random())],
});
