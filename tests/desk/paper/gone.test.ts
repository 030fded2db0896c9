import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Log, silentLog } from '../../../src/core/foundation/log.ts';
import { candlesBetween, sliceCandles } from '../../../src/core/market/candles.ts';
import { type CandleSource, SymbolUnknown } from '../../../src/data/source.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { termsOf } from '../../../src/desk/paper/outlook.ts';
import { createExchangeFeed } from '../../../src/desk/paper/exchange-feed.ts';
import { loadTrained } from '../../../src/learning/training/checkpoints.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const STORED = 300;

it('a pair that the exchange lists no more does not end the session of the others', async () => {
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'config.yaml'),
    'exchange: { id: x }\nmarket: { symbols: [AAA/USDT, DEAD/USDT], since: 2024-01-01 }\nfeatures: { benchmark: AAA/USDT }\n',
  );
  const store = openStore(join(cwd, 'data'));
  const all = walk(STORED + 10, { startMs: START });
  for (const symbol of ['AAA/USDT', 'DEAD/USDT'] as const) {
    const key = { exchange: 'x', symbol, timeframe: '1h' } as const;
    await store.merge(key, sliceCandles(all, 0, STORED), { source: 'x', synthetic: false });
  }
  expect(await runCli(['train', '--models', 'buy-and-hold'], { cwd })).toMatchObject({ status: 0 });

  let nowMs = START + (STORED + 1) * HOUR + 1000;
  const source: CandleSource = {
    name: 'x',
    synthetic: false,
    clockMs: () => Promise.resolve(nowMs),
    async *pages({ symbol, sinceMs, untilMs }) {
      await Promise.resolve();
      if (symbol === 'DEAD/USDT') throw new SymbolUnknown('X does not trade DEAD/USDT.', { hint: '' });
      yield { candles: candlesBetween(all, sinceMs, untilMs), covered: { fromMs: sinceMs, untilMs } };
    },
  };
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message) };
  const trained = await loadTrained(join(cwd, 'checkpoints'));
  const terms = termsOf({ strategy: undefined, ensemble: undefined, rules: SPOT_RULES });
  const feed = createExchangeFeed({ store, trained, terms, source, log, now: () => nowMs });

  const { signal } = new AbortController();
  const first = await feed.look({ timeMs: START + (STORED - 1) * HOUR }, signal);
  expect(first.bars.map(({ bar }) => bar.timeMs)).toEqual([START + STORED * HOUR]);
  expect(first.bars[0].bar.candles.map((candle) => candle === null)).toEqual([false, true]);
  expect(first.bars[0].decision.targets[1]).toBeNull();
  nowMs += HOUR;
  const second = await feed.look({ timeMs: START + STORED * HOUR }, signal);
  expect(second.bars.map(({ bar }) => bar.timeMs)).toEqual([START + (STORED + 1) * HOUR]);
  expect(warnings).toEqual(['X does not trade DEAD/USDT. The others continue without it.']);
});
