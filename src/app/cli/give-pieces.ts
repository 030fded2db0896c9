import { join } from 'node:path';
import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import type { FoldCache } from '../../learning/validation/fold-cache.ts';
import type { openFolds } from '../../learning/validation/walk-forward.ts';
import type { RunFolder } from '../../learning/training/run-folder.ts';
import { openPieces, type TrainingSurroundings } from '../../learning/training/train.ts';
import { coordinateFolds, coordinateModels, type PieceProgress } from '../workflows/piece-coordinator.ts';
import type { BacktestRequest, WalkForwardRequest } from './backtest-request.ts';
import type { CommandContext } from './command.ts';
import { withWorkers } from './give-trials.ts';
import type { QueueRequest } from './queue-options.ts';

/** A queue, and how many of its workers are started here. */
export interface GivenQueue {
  readonly queue: QueueRequest;
  readonly workers: number;
}

/** Has the folds of a walk-forward that `cache` lacks fitted by workers. */
export async function giveFolds(
  context: CommandContext,
  { queue, workers }: GivenQueue,
  of: {
    readonly request: Omit<BacktestRequest, 'forecasts'>;
    readonly walk: WalkForwardRequest;
    readonly panel: LoadedPanel;
    readonly folds: ReturnType<typeof openFolds>;
    readonly cache: FoldCache;
  },
): Promise<void> {
  const missing = of.folds.missing().length;
  if (missing === 0) return;
  const { kind: _, ...walk } = of.walk;
  const { fromMs, untilMs, models, seed, ensemble, ensembleParams } = of.request;
  const settings = {
    ...walk,
    ...{ seed, ensemble, ensembleParams },
    // As long as here, however many bars arrive meanwhile.
    untilMs: untilMs ?? of.panel.untilMs,
    ...(fromMs !== undefined && { fromMs }),
    ...(models && { models: [...models] }),
    symbols: [...walk.symbols],
  };
  const folder = join(context.config.dataDir, 'folds');
  await showing(context, missing, (progress) =>
    withWorkers(context, queue, { panels: [of.panel], workers }, (desk) =>
      coordinateFolds({ ...desk, ...progress, folder, settings, folds: of.folds, cache: of.cache }),
    ),
  );
}

/** Has the models of a run that are not trained yet, from each seed, trained by workers. */
export async function giveModels(
  context: CommandContext,
  { queue, workers }: GivenQueue,
  run: RunFolder,
  surroundings: TrainingSurroundings & Required<Pick<TrainingSurroundings, 'registry'>>,
): Promise<void> {
  const opened = await openPieces(run, surroundings);
  const pieces = await opened.missing();
  if (pieces.length === 0) return;
  const { checkpointDir, registry } = surroundings;
  await showing(context, pieces.length, (progress) =>
    withWorkers(context, queue, { panels: [opened.market], workers }, (desk) =>
      coordinateModels({ ...desk, ...progress, run, checkpointDir, registry, pieces }),
    ),
  );
}

/** Counts pieces as they come, and who brought them. */
async function showing(
  { out, log }: CommandContext,
  total: number,
  work: (progress: PieceProgress) => Promise<void>,
): Promise<void> {
  const progress = out.progress();
  const bar = progress.task('workers', total);
  const startedMs = Date.now();
  let done = 0;
  try {
    await work({
      onPiece(piece, { worker, failed }) {
        const seconds = (Date.now() - startedMs) / 1000;
        bar.update(++done, worker, (seconds / done) * (total - done));
        log.info({ piece, worker, failed }, 'piece');
      },
      onOtherMachine: (machine) =>
        out.notice(`Some of it was computed on ${machine}: bits may differ from those of this processor.`),
    });
  } finally {
    progress.stop();
  }
}
