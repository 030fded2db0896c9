import { defineModel, type FittedModel, z } from 'crypto-trader';
import { checkModel } from 'crypto-trader/testing';

const Params = z.strictObject({ threshold: z.number().default(50) });

/** Long while the RSI is above a threshold. As a file in user/ with `export default` it works in every command. */
const rsiTrend = defineModel({
  id: 'rsi-trend',
  summary: 'long while the RSI is above a threshold',
  kind: 'rule',
  source: 'own work',
  params: Params,
  features: () => ['rsi_14'],
  fit: async ({ params, signal }) => {
    signal.throwIfAborted();
    return fitted(params);
  },
  load: async ({ json }) => fitted(Params.parse(json)),
});

const fitted = (params: z.output<typeof Params>): FittedModel => ({
  report: params,
  forecast: async (panel) =>
    panel.series.map(({ symbol, features }) => {
      const position = Float64Array.from(features.columns[0], (rsi) =>
        Number.isNaN(rsi) ? NaN : Number(rsi > params.threshold),
      );
      return { symbol, horizonBars: 1, position, confidence: position.slice() };
    }),
  save: () => ({ json: params, blobs: {} }),
});

let kept = 0;
for await (const verdict of checkModel(rsiTrend)) {
  if (verdict.kind === 'kept') kept++;
  else process.stdout.write(`BROKEN ${verdict.law}: ${verdict.reason}\n`);
}
process.stdout.write(`${kept} laws kept\n`);
