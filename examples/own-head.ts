import { z } from 'crypto-trader';
import {
  deepModel,
  directionHead,
  tf,
  tftArchitecture,
  tftNetwork,
  trainingParams,
} from 'crypto-trader/networks';
import { market } from './market.ts';

const Params = z.strictObject({
  ...trainingParams,
  hidden: z.int().default(8),
  horizonBars: z.int().default(4),
});

/** A head of one's own on the Temporal Fusion Transformer: the direction, by a focal loss instead of quantiles. */
const tftDirection = deepModel({
  id: 'tft-direction',
  summary: 'Temporal Fusion Transformer with one logit for the direction',
  source: 'Lim et al. 2021; focal loss of Lin et al. 2017',
  params: Params,
  quickParams: { lookBack: 12, epochs: 1, windowsPerEpoch: 128, validationWindows: 128 },
  architecture: async () => ({
    inputs: ({ lookBack, horizonBars, ...params }, panel) =>
      tftArchitecture.inputs({ ...TFT, ...params, lookBack, horizonsBars: [horizonBars] }, panel),
    network: ({ hidden, horizonBars }, { features, lookBack, futureBars, symbols }) =>
      tftNetwork({
        hidden,
        heads: 2,
        dropout: 0.1,
        lookBack,
        futureBars,
        outputBars: [horizonBars],
        outputsPerBar: 1,
        observedInputs: features,
        knownInputs: 4,
        symbols,
      }),
    head: ({ horizonBars }) => {
      const head = directionHead({ horizonBars, buyAbove: 0.55, sellBelow: 0.45, minimumConfidence: 0.5 });
      return {
        ...head,
        // Rows that are easy already count less.
        rowLosses: (output, targets, balance) => {
          const loss = head.rowLosses(output, targets, balance);
          return tf.mul(loss, tf.square(tf.sub(1, tf.exp(tf.neg(loss)))));
        },
      };
    },
  }),
});
const TFT = {
  layers: 1,
  heads: 2,
  decisionBars: 4,
  thresholdPct: 0,
  minimumConfidence: 0.5,
};

const params = Params.parse(tftDirection.quickParams);
const panel = market(tftDirection.features(params));
const { time } = panel.series[0].candles;
const fitted = await tftDirection.fit({
  panel,
  params,
  trainUntilMs: time[Math.floor(0.8 * time.length)],
  seed: 1,
  signal: new AbortController().signal,
  onProgress: () => {},
});
const [{ probabilityUp }] = await fitted.forecast(panel, { sinceMs: time[time.length - 1] });
fitted.dispose?.();
process.stdout.write(`probability of a rise within 4 bars: ${probabilityUp?.at(-1)?.toFixed(2) ?? '-'}\n`);
