import { bytesPerBar } from '../../data/store/compact.ts';
import type { DatasetManifest, Store } from '../../data/store/store.ts';
import type { CommandContext } from './command.ts';
import { describeDataset } from './dataset-document.ts';
import { less } from './table.ts';

/** `data compact`: what each dataset takes on disk, and what is won. */
export async function compactStore(
  { out, signal }: CommandContext,
  store: Store,
  datasets: readonly DatasetManifest[],
  dryRun: boolean,
): Promise<void> {
  const results = [];
  for (const manifest of datasets) {
    signal.throwIfAborted();
    results.push({ manifest, done: await store.compact(manifest, { dryRun }) });
  }
  out.document({
    dryRun,
    datasets: results.map(({ manifest, done }) => ({
      ...describeDataset(manifest),
      ...done,
      bytesPerBar: bytesPerBar(done),
    })),
  });
  if (results.length === 0) return;
  out.table(
    [
      'exchange',
      'symbol',
      'bars',
      less('files', 2),
      less('rows', 3),
      'bytes',
      less('per bar', 1),
      'rewritten',
      'saved',
      'removed',
    ],
    results.map(({ manifest, done }) => [
      manifest.exchange,
      manifest.symbol,
      manifest.timeframe,
      String(done.parts),
      String(done.rows),
      String(done.bytes),
      bytesPerBar(done).toFixed(1),
      String(done.rewritten.length),
      String(done.savedBytes),
      `${done.removed.length} (${done.removedBytes} bytes)`,
    ]),
  );
  if (dryRun) out.print('Nothing was changed.');
}
