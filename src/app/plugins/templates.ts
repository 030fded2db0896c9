/** Files that `new` writes: each works as it is, and says where to change it. */
export const TEMPLATES = {
  model: (
    id: string,
  ): string => `import { defineModel, type FittedModel, importance, labelledRows, forwardReturns, z } from 'crypto-trader';

/**
 * A model of your own. It is given closed bars and features, learns from those before \`trainUntilMs\` and says for each
 * bar what to hold from the next open on. Try it: crypto-trader plugin check user/${id}.ts
 * Then: crypto-trader train --models ${id}, backtest, signals, paper: everything works for it as for ours.
 */

// What can be set under models.${id} in config.yaml, with defaults.
const Params = z.strictObject({
  feature: z.string().default('rsi_14').describe('The feature that decides; \`crypto-trader features\` lists all'),
  // \`tune run\` searches numbers that have both bounds, and choices.
  horizonBars: z.int().min(1).max(48).default(4).describe('Bars of the return that is learned'),
});

// What is learned, as plain data: a checkpoint holds this and no code.
const Learned = z.strictObject({ params: Params, middle: z.number(), edge: z.number() });

export default defineModel({
  id: '${id}',
  summary: 'goes long or short by which side of its mean one feature is on',
  kind: 'classical',
  source: 'own work',
  params: Params,
  features: ({ feature }) => [feature],

  // Learns whether the return tends to follow when the feature is above its mean, or when it is below.
  async fit({ panel, params, trainUntilMs, signal }) {
    signal.throwIfAborted();
    const rows = panel.series.flatMap(({ candles, features }) => {
      const returns = forwardReturns(candles, panel.timeframe, params.horizonBars);
      // Only bars whose return is known by the end of training: the rest is not yours to learn from.
      const range = { timeframe: panel.timeframe, horizonBars: params.horizonBars, fromMs: -Infinity, untilMs: trainUntilMs };
      return Array.from(labelledRows(candles, returns, range), (row) => ({ value: features.columns[0][row], gain: returns[row] }));
    }).filter(({ value }) => Number.isFinite(value));
    const middle = rows.reduce((sum, { value }) => sum + value, 0) / Math.max(1, rows.length);
    // What being long above the mean and short below it earned, on average, over the horizon.
    const edge = rows.reduce((sum, { value, gain }) => sum + Math.sign(value - middle) * gain, 0) / Math.max(1, rows.length);
    return fitted({ params, middle, edge });
  },

  // Takes only what \`save\` below can have written; anything else is refused.
  load: async ({ json }) => fitted(Learned.parse(json)),
});

const fitted = (learned: z.output<typeof Learned>): FittedModel => ({
  report: { middle: learned.middle, edge: learned.edge },
  explanation: [importance('What decides', 'share', [[learned.params.feature, 1]])],
  // Row t may use bars up to t and no later one: forecasting fewer bars must give the same numbers.
  forecast: async (panel) =>
    panel.series.map(({ symbol, features }) => {
      const sides = Float64Array.from(features.columns[0], (value) => Math.sign(value - learned.middle)); // NaN: no opinion
      const position = sides.map((side) => Math.sign(learned.edge) * side);
      return {
        symbol,
        horizonBars: learned.params.horizonBars,
        position, // what it would hold itself; strategies that know costs decide on the next line
        expectedReturn: sides.map((side) => learned.edge * side),
        confidence: position.map(Math.abs),
      };
    }),
  save: () => ({ json: learned, blobs: {} }),
});
`,
  strategy: (id: string): string => `import { actionOf, allowed, defineStrategy, z } from 'crypto-trader';

/**
 * A strategy of your own: a model states what it expects, a strategy decides what to hold. Try it:
 * crypto-trader plugin check user/${id}.ts
 * Then: crypto-trader backtest --strategy ${id}
 */

// What can be set under strategies.${id} in config.yaml, or with --set strategies.${id}.timesCost=3.
const Params = z.strictObject({
  timesCost: z.number().min(0).default(2).describe('A trade must promise this many times what it costs'),
});

export default defineStrategy({
  id: '${id}',
  summary: 'goes with the expected return when it is worth the cost of getting there',
  source: 'own work',
  params: Params,

  // Asked at the close of every bar of every symbol; what is wanted is traded at the next open. Keep nothing between
  // two bars but what \`held\` says, so that a restart decides the same.
  prepare: ({ timesCost }, setting) => ({ held, expectedReturn, confidence }) => {
    if (Number.isNaN(expectedReturn)) return { target: NaN, reason: { kind: 'no-opinion' } }; // NaN: keep what is held
    const level = timesCost * setting.cost;
    const worth = Math.abs(expectedReturn) > level;
    // Short only where the account may; -1 .. 1 of the capital of this symbol.
    const target = allowed(worth ? Math.sign(expectedReturn) : held, setting);
    const action = actionOf(held, target);
    return { target, reason: { kind: 'level', action, stated: 'return', value: expectedReturn, level, confidence } };
  },
});
`,
  feature: (id: string): string => `import { defineFeature, z } from 'crypto-trader';

/**
 * A feature of your own: a number for every closed bar, for models to learn from. Try it:
 * crypto-trader plugin check user/${id}.ts
 * Then: crypto-trader features ${id} --symbols BTC/USDT
 * and name it among the features of a model: models.ridge.features in config.yaml.
 */
export default defineFeature({
  name: '${id}',
  about: 'exponential mean of (high - low) / close, which weighs the newest bar by \`weight\`',
  source: 'own work',
  unit: 'fraction',
  // The columns that it reads; of others it may not depend.
  inputs: ['high', 'low', 'close'],
  // What can be set under ownFeatures.${id} in config.yaml. A training run keeps what it was trained with.
  parameters: z.strictObject({ weight: z.number().gt(0).max(1).default(0.1) }),
  // Leading bars without a value; for a window of so many bars: ({ bars }) => bars - 1.
  warmUpBars: () => 0,

  create: ({ parameters: { weight }, memory }) => {
    // All that is remembered from bar to bar lies in \`memory\`, so that a restart goes on with the same bits.
    const state = memory(1);
    return {
      // Blocks of closed bars follow each other: thousands in training, one when trading.
      update: ({ length, high, low, close }, out) => {
        for (let i = 0; i < length; i++) {
          state[0] += weight * ((high[i] - low[i]) / close[i] - state[0]);
          out[i] = state[0];
        }
      },
    };
  },
});
`,
  notifier: (id: string): string => `import { appendFile } from 'node:fs/promises';
import { defineNotifier, z } from 'crypto-trader';

/**
 * A notifier of your own: what a paper session tells goes where you like. Try it, which sends two messages that say so:
 * crypto-trader plugin check user/${id}.ts
 * Then: crypto-trader notify test, and paper.
 */
export default defineNotifier({
  id: '${id}',
  summary: 'writes what is told to a file; replace it by something that reaches you',
  // From notifiers.${id} in config.yaml. A token belongs into the environment or .env: a parameter \`token\` is
  // NOTIFY_${id.replaceAll('-', '_').toUpperCase()}_TOKEN there, and is shown nowhere.
  params: z.strictObject({ file: z.string().default('messages.txt') }),

  open: ({ file }) => ({
    // Resolve when the message is taken; throw when it is not, and it is tried again. Pass \`signal\` on to fetch.
    async send({ title, text }, signal) {
      signal.throwIfAborted();
      await appendFile(file, \`\${title}\\n\${text}\\n\\n\`);
    },
  }),
});
`,
  source: (id: string): string => `import { defineSource, emptyCandles, TIMEFRAME_MS } from 'crypto-trader';

/**
 * A source of candles of your own: a file, a database, an exchange that nobody else knows. Try it:
 * crypto-trader plugin check user/${id}.ts
 * Then: crypto-trader fetch --source ${id}
 */
export default defineSource({
  id: '${id}',
  summary: 'a sine wave; replace it by something that exists',
  // What \`plugin check\` asks for.
  example: { symbol: 'BTC/USDT', timeframe: '1h', sinceMs: Date.UTC(2024, 0, 1), untilMs: Date.UTC(2024, 0, 8) },

  open: () => ({
    name: '${id}',
    // Made-up candles must say so: training refuses them unless told otherwise.
    synthetic: true,
    // The clock that decides which bars are closed.
    clockMs: async () => Date.now(),
    // Bars with sinceMs <= time < untilMs, page after page, in order of time.
    async *pages({ timeframe, sinceMs, untilMs, signal }) {
      const step = TIMEFRAME_MS[timeframe];
      const first = Math.ceil(sinceMs / step) * step;
      for (let fromMs = first; fromMs < untilMs; fromMs += 500 * step) {
        signal.throwIfAborted();
        const toMs = Math.min(untilMs, fromMs + 500 * step);
        const candles = emptyCandles(Math.ceil((toMs - fromMs) / step));
        candles.time.forEach((_, row) => {
          const time = fromMs + row * step;
          const [open, close] = [priceAt(time), priceAt(time + step)];
          candles.time[row] = time;
          candles.open[row] = open;
          candles.high[row] = Math.max(open, close);
          candles.low[row] = Math.min(open, close);
          candles.close[row] = close;
          candles.volume[row] = 1;
        });
        // \`covered\`: a bar that is missing in it does not exist there, and is not asked for again.
        yield { candles, covered: { fromMs, untilMs: toMs } };
      }
    },
  }),
});

const priceAt = (timeMs: number): number => 100 + 10 * Math.sin(timeMs / 86_400_000);
`,
} as const satisfies Readonly<Record<string, (id: string) => string>>;
