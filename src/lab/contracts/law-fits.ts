import { z } from 'zod';
import type { Panel } from '../../core/dataset/panel.ts';
import type { FittedModel, FitTask, Model } from '../../core/forecast/model.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { HOUR_MS, lawMarket, lawPanel, TRAIN_UNTIL } from './law-market.ts';

const markets = { law: lawMarket(), other: lawMarket({ fromRow: TRAIN_UNTIL, name: 'other end' }) };

/** The market of the laws as `model` sees it; `other` has the same training bars and other ones after them. */
export const panelOf = (model: Model, market: keyof typeof markets = 'law'): Panel =>
  lawPanel(markets[market], model.features(lawParams(model)));

export const fitOn = (
  model: Model,
  panel: Panel,
  more: Partial<Pick<FitTask<unknown>, 'seed' | 'signal' | 'snapshots' | 'onProgress'>> = {},
): Promise<FittedModel> =>
  model.fit({
    panel,
    params: lawParams(model),
    trainUntilMs: TRAIN_UNTIL * HOUR_MS,
    seed: 7,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  });

const cache = new WeakMap<Model, Promise<FittedModel>>();

/** The model as it was fitted on the market of the laws, once for all laws. */
export function fitted(model: Model): Promise<FittedModel> {
  const known = cache.get(model) ?? fitOn(model, panelOf(model));
  cache.set(model, known);
  return known;
}

/** What makes a network small and its training short: the laws do not need a good model. */
const SMALL = { lookBack: 12, epochs: 2, windowsPerEpoch: 192, validationWindows: 64 };

const Schema = z.object({ properties: z.record(z.string(), z.unknown()).default({}) });

/** The quick parameters, made smaller still where a network has the usual ones. */
function lawParams(model: Model): unknown {
  const schema = Schema.parse(z.toJSONSchema(model.params, { io: 'input', unrepresentable: 'any' }));
  const known = Object.entries(SMALL).filter(([name]) => name in schema.properties);
  return modelParams(model, 'quick', model.kind === 'deep' ? Object.fromEntries(known) : {});
}
