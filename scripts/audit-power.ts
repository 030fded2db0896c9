/**
 * `npm run audit-power -- --walks 1000` simulates what the audit's score of skill (src/lab/audit/skill.ts) does on random walks with
 * clustering volatility, three symbols that move together: how often somebody without skill exceeds a threshold, and how often
 * somebody who was told the outcome of some of the bars does. Exits with 1 when the threshold in use accuses an honest forecaster in
 * more than one of 1 000 cases.
 */
import { parseArgs } from 'node:util';
import { forwardReturns } from '../src/core/dataset/labels.ts';
import type { Panel } from '../src/core/dataset/panel.ts';
import type { Forecast } from '../src/core/forecast/model.ts';
import { createRandom, normal, type Random } from '../src/core/foundation/random.ts';
import { MOST_SCORE, skillOf } from '../src/lab/audit/skill.ts';
import { clusteringWalk } from '../tests/support/worlds.ts';

const { values } = parseArgs({
  options: { walks: { type: 'string', default: '1000' }, bars: { type: 'string', default: '2000' } },
});
const [walks, bars] = [Number(values.walks), Number(values.bars)];
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
const THRESHOLDS = [2, 3, MOST_SCORE];

/** Closes share half of their moves, as pairs do. */
function panelOf(seed: number): Panel {
  const common = clusteringWalk(bars, 4 * seed);
  const series = SYMBOLS.map((symbol, s) => {
    const own = clusteringWalk(bars, 4 * seed + 1 + s);
    const mixed = (a: Float64Array, b: Float64Array): Float64Array =>
      a.map((price, row) => 100 * Math.sqrt((price / 100) * (b[row] / 100)));
    const [open, close] = [mixed(common.open, own.open), mixed(common.close, own.close)];
    const high = open.map((price, row) => Math.max(price, close[row]));
    const low = open.map((price, row) => Math.min(price, close[row]));
    const candles = { ...own, open, close, high, low };
    return { symbol, candles, features: { names: [], columns: [] } };
  });
  return { timeframe: '1h', series };
}

/** A statement that moves slowly, as those of models do, and of which a share of the bars was told the outcome. */
function forecasts(panel: Panel, horizonBars: number, told: number, random: Random): readonly Forecast[] {
  return panel.series.map(({ symbol, candles }) => {
    const labels = forwardReturns(candles, panel.timeframe, horizonBars);
    let last = 0;
    const expectedReturn = labels.map((label) => {
      last = 0.9 * last + normal(random);
      return random() < told && !Number.isNaN(label) ? label : 0.001 * last;
    });
    const position = expectedReturn.map(Math.sign);
    return { symbol, horizonBars, position, confidence: position.map(Math.abs), expectedReturn };
  });
}

let failed = false;
console.log(
  `${walks} walks of ${bars} hours, three symbols; share with a score beyond ${THRESHOLDS.join(', ')}`,
);
for (const horizonBars of [1, 4, 24])
  for (const told of [0, 0.02, 0.05, 0.1, 0.25]) {
    const beyond = THRESHOLDS.map(() => 0);
    for (let walk = 1; walk <= walks; walk++) {
      const panel = panelOf(walk);
      const span = { fromMs: -Infinity, untilMs: Infinity };
      const skill = skillOf(panel, forecasts(panel, horizonBars, told, createRandom(walk)), span);
      THRESHOLDS.forEach((threshold, i) => {
        if (skill !== undefined && skill.score >= threshold) beyond[i]++;
      });
    }
    const shares = beyond.map((count) => `${((100 * count) / walks).toFixed(1)} %`.padStart(8)).join(' ');
    console.log(
      `horizon ${String(horizonBars).padStart(2)}, ${(100 * told).toFixed(0).padStart(2)} % told: ${shares}`,
    );
    if (told === 0 && beyond[THRESHOLDS.length - 1] > walks / 1000) failed = true;
  }
if (failed) process.exitCode = 1;
