import { expect, it } from 'vitest';
import { z } from 'zod';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAccountData } from '../../../src/app/workflows/account-data.ts';
import { Account } from '../../../src/app/config/account.ts';
import { alignMarket } from '../../../src/core/trading/align.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const START = Date.UTC(2025, 0, 1);
const HOUR = 3_600_000;
const BARS = 240;
const candles = walk(BARS, { startMs: START });
const about = { symbols: ['BTC/USDT'], timeframe: '1h', derivatives: 'binanceusdm' } as const;
const market = alignMarket([candles], '1h');
const perpetual = (changes: object = {}): Account => Account.parse({ kind: 'perpetual', ...changes });

const funding = { name: 'funding', subject: 'binanceusdm/BTC-USDT' } as const;
async function storeWith(rates: number): Promise<{ folder: string; store: ReturnType<typeof openStore> }> {
  const folder = temporaryFolder();
  const store = openStore(join(folder, 'data'));
  const time = Float64Array.from({ length: rates }, (_, i) => START + i * 8 * HOUR);
  const rate = new Float64Array(rates).fill(0.001);
  if (rates > 0)
    await store.series.merge(
      funding,
      { time, known: time.map((t) => t + 60_000), columns: { rate } },
      { source: 'csv' },
    );
  return { folder, store };
}

it('charges stored rates, names the first that is missing, and knows none that were never stored', async () => {
  const { store } = await storeWith(30);
  const { beside, sources } = await loadAccountData(store, perpetual(), { market, ...about });
  expect(beside.funding?.[0]?.atOpen.filter((rate) => rate !== 0)).toHaveLength(30);
  expect(sources).toMatchObject([
    { place: 'funding binanceusdm/BTC-USDT', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
  ]);
  const short = await storeWith(20);
  await expect(loadAccountData(short.store, perpetual(), { market, ...about })).rejects.toThrow(
    'Funding rates of BTC/USDT are missing at 2025-01-07T16:00:00.000Z',
  );
  const none = await storeWith(0);
  await expect(loadAccountData(none.store, perpetual(), { market, ...about })).rejects.toThrow(
    'No funding rates of BTC/USDT on binanceusdm are stored',
  );
  expect(
    (await loadAccountData(none.store, perpetual({ funding: 'waived' }), { market, ...about })).beside,
  ).toEqual({});
});

it('a mark price has every bar, or the run says which it lacks', async () => {
  const { store } = await storeWith(30);
  const key = { exchange: 'marks', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  const account = perpetual({ markFrom: 'marks' });
  await expect(loadAccountData(store, account, { market, ...about })).rejects.toThrow(
    'No candles of the mark price',
  );
  await store.merge(key, walk(BARS - 1, { startMs: START, seed: 9 }), { source: 'csv', synthetic: true });
  await expect(loadAccountData(store, account, { market, ...about })).rejects.toThrow(
    'lacks the bar of 2025-01-10 23:00',
  );
});

const Document = z.object({
  outcome: z.object({ kind: z.string() }),
  metrics: z.object({ totalReturnPct: z.number() }),
  costs: z.object({ fundingQuote: z.number(), liquidations: z.number(), feeBps: z.number() }),
  accountSources: z.array(z.object({ place: z.string() })).default([]),
  sentences: z.array(z.string()),
  fills: z.array(z.object({ cause: z.string() })),
});

/** Buys and holds: what it pays is the rate times the value at every eighth hour. */
it('`backtest` trades perpetuals: funding is charged, too much leverage ends in ruin, tune refuses', async () => {
  const { folder: cwd, store } = await storeWith(30);
  await store.merge({ exchange: 'binanceusdm', symbol: 'BTC/USDT', timeframe: '1h' }, candles, {
    source: 'csv',
    synthetic: true,
  });
  const config = (trading: object): void =>
    writeFileSync(
      join(cwd, 'config.yaml'),
      JSON.stringify({
        exchange: { id: 'binanceusdm' },
        market: { symbols: ['BTC/USDT'], since: '2025-01-01' },
        trading: { feeBps: 0, slippageBps: 0, amountStep: 0, ...trading },
      }),
    );
  const run = async () => {
    const args = [
      'backtest',
      '--walk-forward',
      '--folds',
      '1',
      '--models',
      'buy-and-hold',
      '--strategy',
      'own',
      '--json',
    ];
    const { stdout, stderr } = await runCli(args, { cwd });
    expect(stderr).not.toContain('rror');
    return Document.parse(JSON.parse(stdout));
  };
  const hold = { kind: 'perpetual', leverage: 1 };
  config({ account: { ...hold, funding: 'waived' } });
  const waived = await run();
  expect(waived.costs.fundingQuote).toBe(0);
  expect(waived.sentences.join()).toContain('funding waived');
  config({ account: hold });
  const charged = await run();
  // Ten days of which the second half is tested: 15 rates, the first of them before anything is held.
  expect(charged.costs.fundingQuote / 10_000).toBeLessThan(-0.0125);
  expect(charged.costs.fundingQuote / 10_000).toBeGreaterThan(-0.0155);
  const lost = charged.metrics.totalReturnPct - waived.metrics.totalReturnPct;
  expect(lost).toBeCloseTo(charged.costs.fundingQuote / 100, 1);
  expect(charged.accountSources).toMatchObject([{ place: 'funding binanceusdm/BTC-USDT' }]);
  config({ account: { ...hold, leverage: 100 }, maxExposurePct: 10_000 });
  const ruined = await run();
  expect(ruined.outcome.kind).toBe('ruined');
  expect(ruined.costs.liquidations).toBe(1);
  expect(ruined.sentences.join()).toContain('RUINED: ensemble');
  const tuned = await runCli(['tune', '--model', 'ridge', '--trials', '2'], { cwd });
  expect(tuned.stderr).toContain('`tune` trades spot accounts; trading.account is perpetual');
});
