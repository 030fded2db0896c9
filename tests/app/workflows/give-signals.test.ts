import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { giveSignals } from '../../../src/app/workflows/give-signals.ts';
import { candlesBetween } from '../../../src/core/market/candles.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import { chooseEnsemble } from '../../../src/learning/ensemble/registry.ts';
import { readTrained } from '../../../src/learning/training/checkpoints.ts';
import { walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { add, BARS, START_MS, trainOn, walkStore } from '../../learning/training/runs.ts';

const HOUR = 3_600_000;
const SYMBOLS = ['BTC/USDT', 'ETH/USDT'] as const;
/** Without memory, with memory of what they held, of what they earn, and one that is shown every bar again. */
const MODELS = ['persistence', 'momentum-garch', 'ridge', 'boosted-trees', 'ppo', 'cross-sectional-momentum'];
const WALKS = SYMBOLS.map((_, i) => walk(BARS, { startMs: START_MS, seed: i + 1 }));

/** A run on bars of which the store knows the first 570 so far, and room for others. */
async function project() {
  const folder = temporaryFolder();
  await trainOn(folder, await walkStore(folder), {
    models: MODELS,
    approach: 'both',
    params: { ppo: { totalTimesteps: 512, windowBars: 48, nSteps: 256 } },
  });
  const store = openStore(join(folder, 'growing'));
  await grow(store, 570);
  return { folder, store };
}

async function grow(store: Store, bars: number, symbols: readonly string[] = SYMBOLS): Promise<void> {
  for (const [i, symbol] of SYMBOLS.entries())
    if (symbols.includes(symbol))
      await add(store, symbol, candlesBetween(WALKS[i], 0, START_MS + bars * HOUR));
}

/** What is said, and whether any model was opened for it. `dataDir`: where it may be remembered. */
async function said(
  { folder, store }: { readonly folder: string; readonly store: Store },
  dataDir: string,
  { strategy = 'sign', ensemble = 'enhanced', weights = {} } = {},
) {
  const trained = await readTrained(join(folder, 'checkpoints'));
  const opened: string[] = [];
  const members = trained.members.map((member) => ({
    ...member,
    open: () => {
      opened.push(member.id);
      return member.open();
    },
  }));
  const { signals, leftOut } = await giveSignals({
    store,
    dataDir,
    trained: { ...trained, members },
    wanted: { exchange: undefined, timeframe: undefined },
    terms: {
      ...chooseStrategy(strategy, {}),
      ensemble: chooseEnsemble(ensemble, weights),
      rules: { ...SPOT_RULES, allowShort: true },
    },
    explain: false,
  });
  return { text: JSON.stringify({ signals, leftOut }), opened };
}

const anew = (of: Awaited<ReturnType<typeof project>>, how = {}) => said(of, temporaryFolder(), how);

describe('signals that are asked for again', () => {
  it('are those of models that look at all bars, to the bit, however they came together', async () => {
    const of = await project();
    const kept = join(of.folder, 'kept');
    // Weights that move by two rules, that stay, that there are none of, and what cannot be written down.
    const hows = [
      ...['enhanced', 'equal', 'stacking', 'boosted-stacking'].map((ensemble) => ({ ensemble })),
      { weights: { weights: 'hedge' } },
      ...['cost-aware', 'own', 'meta-label'].map((strategy) => ({ strategy })),
    ];
    for (const how of hows) await said(of, kept, how);
    for (const [bars, symbols] of [[571], [581, ['ETH/USDT']], [582]] as const) {
      await grow(of.store, bars, symbols);
      for (const how of hows) {
        const whole = await anew(of, how);
        expect((await said(of, kept, how)).text, `${bars} ${JSON.stringify(how)}`).toBe(whole.text);
      }
      const again = await said(of, kept);
      expect(again).toEqual({ text: (await anew(of)).text, opened: [] });
    }
  });

  it('are worked out anew where a candle is another, or what was kept is damaged', async () => {
    const of = await project();
    const kept = join(of.folder, 'kept');
    const first = await said(of, kept);
    const cache = join(kept, 'cache');
    const [file] = readdirSync(join(cache, 'signals'));
    const path = join(cache, 'signals', file);
    const bytes = readFileSync(path);
    const damaged = Uint8Array.from(bytes);
    damaged[damaged.length >> 1] ^= 1;
    writeFileSync(path, damaged);
    expect((await said(of, kept)).text).toBe(first.text);
    expect(readFileSync(path)).not.toEqual(damaged);

    const store = openStore(join(of.folder, 'other'));
    for (const [i, symbol] of SYMBOLS.entries()) {
      const candles = candlesBetween(
        walk(BARS, { startMs: START_MS, seed: i + 1 }),
        0,
        START_MS + 571 * HOUR,
      );
      if (i === 1) candles.close[520] = candles.low[520] + 0.5 * (candles.high[520] - candles.low[520]);
      await add(store, symbol, candles);
    }
    const other = { ...of, store };
    const now = await said(other, kept);
    expect(now.opened).toEqual(MODELS);
    expect(now.text).toBe((await anew(other)).text);
  });
});
