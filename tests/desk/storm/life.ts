import { dieAt, operations, type Death } from './killing-files.ts';

/** What a process of a storm may be told to do: `live` of one of these. */
const KINDS = {
  fetch: () => import('./fetch-life.ts'),
  paper: () => import('./paper-life.ts'),
  live: () => import('./live-life.ts'),
  retrain: () => import('./retrain-life.ts'),
  tune: () => import('./tune-life.ts'),
};
export type Kind = keyof typeof KINDS;

export type ToLife =
  | { readonly kind: 'begin'; readonly world: unknown; readonly death: Death | undefined }
  | { readonly kind: 'answered'; readonly number: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly number: number; readonly message: string };
export type FromLife =
  | { readonly kind: 'asked'; readonly name: string; readonly number: number; readonly args: unknown[] }
  | { readonly kind: 'ended'; readonly operations: number; readonly result: unknown };

/** Asks the process that started this one; in the order of the calls. */
export type Ask = (name: string, ...args: unknown[]) => Promise<unknown>;

const say = (told: FromLife): Promise<void> =>
  new Promise((sent) => process.send?.(told, undefined, undefined, () => sent()));
const asked = new Map<number, PromiseWithResolversOf<unknown>>();
interface PromiseWithResolversOf<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}
let number = 0;
const ask: Ask = (name, ...args) =>
  new Promise((resolve, reject) => {
    asked.set(number, { resolve, reject });
    void say({ kind: 'asked', name, number: number++, args });
  });

async function begin(world: unknown, death: Death | undefined): Promise<void> {
  const { live } = await loaded;
  dieAt(death);
  const result = await (live as (world: unknown, ask: Ask) => Promise<unknown>)(world, ask);
  await say({ kind: 'ended', operations: operations(), result });
  process.exit(0);
}

const loaded = KINDS[process.argv[2] as Kind]();
process.on('message', (told: ToLife) => {
  if (told.kind === 'answered') asked.get(told.number)?.resolve(told.value);
  else if (told.kind === 'failed') asked.get(told.number)?.reject(new Error(told.message));
  else
    begin(told.world, told.death).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    });
});
