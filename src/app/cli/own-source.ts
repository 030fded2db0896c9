import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Store } from '../../data/store/store.ts';
import { updateDataset, type UpdateResult } from '../../data/update.ts';
import type { SourcePlugin } from '../plugins/define.ts';
import type { CommandContext } from './command.ts';
import { projectPlugins } from './project-plugins.ts';

/** The source of the user's own that `--source` names; `undefined` when that is one of ours or nobody's. */
export async function ownSource(
  context: CommandContext,
  name: string | undefined,
  ours: readonly string[],
): Promise<SourcePlugin | undefined> {
  if (name === undefined || ours.includes(name)) return undefined;
  return (await projectPlugins(context)).sources.find(({ id }) => id === name);
}

/** Brings datasets up to date from a source of the user's own, one symbol after the other. */
export async function fetchOwn(
  { signal, log }: CommandContext,
  source: SourcePlugin,
  request: {
    readonly store: Store;
    readonly exchange: string;
    readonly symbols: readonly PairSymbol[];
    readonly timeframe: Timeframe;
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly askGapsAgain: boolean;
    readonly skipBadBars: boolean;
    readonly onProgress: (symbol: PairSymbol, doneBars: number, totalBars: number) => void;
  },
): Promise<readonly UpdateResult[]> {
  const { exchange, symbols, timeframe, onProgress } = request;
  const datasets: UpdateResult[] = [];
  for (const symbol of symbols) {
    datasets.push(
      await updateDataset({
        ...request,
        key: { exchange, symbol, timeframe },
        openSource: async () => source.open(),
        onProgress: (done, total) => onProgress(symbol, done, total),
        signal,
        log,
      }),
    );
  }
  return datasets;
}
