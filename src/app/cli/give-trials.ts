import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import { type DatasetManifest, openStore, type Store } from '../../data/store/store.ts';
import type { Study } from '../../lab/tuning/study.ts';
import type { KeptTrial } from '../../lab/tuning/study-journal.ts';
import { coordinateTrials } from '../workflows/trial-coordinator.ts';
import type { DeskRequest } from '../workflows/work-desk.ts';
import type { CommandContext } from './command.ts';
import type { QueueRequest } from './queue-options.ts';
import { spawnWorkers } from './study-workers.ts';

/** Gives the trials of a study to workers, `workers` of them on this machine, and says how others join. */
export async function giveTrials(
  context: CommandContext,
  queue: QueueRequest,
  task: {
    readonly study: Study;
    readonly panels: readonly WorkedOn[];
    readonly trials: number;
    readonly workers: number;
    readonly signal: AbortSignal;
    readonly onTrial: (trial: KeptTrial) => void;
  },
): Promise<void> {
  const { config } = context;
  const { panels, workers, ...rest } = task;
  const folder = join(config.tuningDir, task.study.settings.name);
  await withWorkers(context, queue, { panels, workers }, (desk) =>
    coordinateTrials({ ...desk, ...rest, folder }),
  );
}

/** Runs a coordinator, beside `workers` processes of this machine, and says how others join. */
export async function withWorkers(
  context: CommandContext,
  queue: QueueRequest,
  { panels, workers }: { readonly panels: readonly WorkedOn[]; readonly workers: number },
  coordinate: (desk: DeskRequest) => Promise<void>,
): Promise<void> {
  const { config, out, signal } = context;
  const store = openStore(config.dataDir);
  let helpers: ReturnType<typeof spawnWorkers> = [];
  try {
    await coordinate({
      ...queue,
      store,
      signal,
      manifests: await manifestsOf(panels, store),
      onListening: (url) => {
        out.notice(`Workers join with: crypto-trader worker --queue ... --coordinator ${url}`);
        // The address of the queue may hold a password, which does not belong on a command line.
        helpers = spawnWorkers(workers, context, ['worker', '--queue', 'env', '--coordinator', url], {
          QUEUE_URL: queue.queueUrl,
          WORKER_TOKEN: queue.token,
        });
      },
    });
  } finally {
    for (const { stop } of helpers) stop();
    await Promise.all(helpers.map(({ ended }) => ended));
  }
}

type WorkedOn = Pick<LoadedPanel, 'manifests' | 'inputs'>;

/** Every dataset that panels were made from. Throws `UserError` where features read what cannot be sent. */
async function manifestsOf(panels: readonly WorkedOn[], store: Store): Promise<readonly DatasetManifest[]> {
  const found = new Map<string, DatasetManifest>();
  for (const manifest of panels.flatMap((panel) => panel.manifests))
    found.set(store.folder(manifest), manifest);
  for (const { place } of panels.flatMap((panel) => panel.inputs)) {
    const [kind, exchange = '', symbol = '', timeframe = ''] = place.split(' ');
    if (kind !== 'candles')
      throw new UserError(`The features read ${place}, which workers on other machines do not get.`, {
        hint: 'Choose features of candles alone, or leave out --queue.',
      });
    const key = { exchange, symbol: parseSymbol(symbol), timeframe: parseTimeframe(timeframe) };
    const manifest = await store.manifest(key);
    if (manifest !== undefined) found.set(store.folder(key), manifest);
  }
  return [...found.values()];
}
