import { z } from 'zod';
import type { FeatureColumn, FeatureTable, Panel } from '../../core/dataset/panel.ts';
import { catalogue } from '../../core/features/catalogue.ts';
import type { Feature } from '../../core/features/feature.ts';
import { lateFeatures } from '../../core/features/late-features.ts';
import type { FitProgress, FittedModel, FitTask, Forecast, Model } from '../../core/forecast/model.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { HOUR_MS, lawMarket, lawPanel, TRAIN_UNTIL } from './law-market.ts';

const markets = { law: lawMarket(), other: lawMarket({ fromRow: TRAIN_UNTIL, name: 'other end' }) };

/** The market of the laws as `model` sees it; `other` has the same training bars and other ones after them. */
export function panelOf(model: Model, market: keyof typeof markets = 'law'): Panel {
  const known = panels[market].get(model) ?? ownPanelOf(model, market);
  panels[market].set(model, known);
  return known;
}

const panels = { law: new WeakMap<Model, Panel>(), other: new WeakMap<Model, Panel>() };

/** The same, for one law alone: `panelOf` is shared by all of them. */
export const ownPanelOf = (model: Model, market: keyof typeof markets = 'law'): Panel =>
  panelOn(model, markets[market]);

/** Any market as `model` sees it. */
export const panelOn = (model: Model, market: ReturnType<typeof lawMarket>): Panel =>
  lawPanel(market, model.features(lawParams(model)), catalogues.get(model));

/** The market of the laws with features that are worked out when they are read, two columns at a time; `reads` counts how often. */
export function latePanelOf(model: Model): { readonly panel: Panel; readonly reads: () => number } {
  let reads = 0;
  const series = markets.law.map(({ symbol, candles }) => {
    const of = { candles, timeframe: '1h', inputs: {}, known: catalogues.get(model) ?? catalogue } as const;
    const late = lateFeatures(model.features(lawParams(model)), new Set(), of, 2 * candles.time.length);
    const counted = ({ names, columns, pick }: FeatureTable): FeatureTable => {
      const own: FeatureColumn[] = [];
      for (const i of names.keys())
        Object.defineProperty(own, i, { enumerable: true, get: () => (reads++, columns[i]) });
      return { names, columns: own, ...(pick && { pick: (some) => counted(pick(some)) }) };
    };
    return { symbol, candles, features: counted(late) };
  });
  return { panel: { timeframe: '1h', series }, reads: () => reads };
}

/** Where models find their features that are not of the catalogue. */
const catalogues = new WeakMap<Model, readonly Feature[]>();

/** From now on the laws give `model` its features out of `features`. */
export const readsFrom = (model: Model, features: readonly Feature[]): void =>
  void catalogues.set(model, features);

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

interface LawFit {
  readonly fitted: FittedModel;
  /** What it reported on the way. */
  readonly progress: readonly FitProgress[];
}

const caches = { law: new WeakMap<Model, Promise<LawFit>>(), other: new WeakMap<Model, Promise<LawFit>>() };

/** The model as it was fitted on one of the markets, once for all laws. */
export function lawFit(model: Model, market: keyof typeof markets): Promise<LawFit> {
  const fit = async (): Promise<LawFit> => {
    const progress: FitProgress[] = [];
    const onProgress = (one: FitProgress): void => void progress.push(one);
    return { fitted: await fitOn(model, panelOf(model, market), { onProgress }), progress };
  };
  const known = caches[market].get(model) ?? fit();
  caches[market].set(model, known);
  return known;
}

export const fitted = async (model: Model): Promise<FittedModel> => (await lawFit(model, 'law')).fitted;

const forecasts = new WeakMap<Model, Promise<readonly Forecast[]>>();

/** What the fitted model says of the market of the laws, asked once for all of them. */
export function lawForecast(model: Model): Promise<readonly Forecast[]> {
  const known = forecasts.get(model) ?? fitted(model).then((one) => one.forecast(panelOf(model)));
  forecasts.set(model, known);
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
