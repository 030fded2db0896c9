import type { Fold } from '../../core/dataset/splits.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { featuresRead, type Model } from '../../core/forecast/model.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import { audit, type AuditOptions } from '../../lab/audit/audit.ts';
import type { Finding } from '../../lab/audit/finding.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { artifactHash } from '../../learning/training/artifact-folder.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { forecastRows } from '../../learning/validation/forecast-columns.ts';
import { refit, validationSpan } from '../../learning/validation/refit.ts';
import { type AuditedRun, auditSubject, type AuditTerms } from './audit-subject.ts';

/** A walk-forward as it was made, and what it forecast. */
export interface WalkedFolds extends AuditTerms {
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly sinceMs: number;
  readonly source: Pick<ForecastSource, 'members'> & { readonly folds: readonly Fold[] };
  readonly registry: Registry;
  /** Hyper-parameters by model id. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly sources: InputSources;
  readonly validationPct: number;
}

/** What a fold can hide that the first does not: all that has to do with fitting, and the fold's own forecasts. */
const OF_EVERY_FOLD = ['forecasts', 'reproduction', 'scalers', 'purge', 'validation-labels'];

/**
 * Tries to prove a walk-forward wrong: the first fold by every check, tested on all bars after it; those after it by the
 * checks of fitting, and by whether a fresh fit forecasts what the walk-forward has for the fold. Of models that are fitted
 * in seconds: networks go on from fold to fold, and an audit of a training run is about those.
 */
export async function auditFolds(
  walked: WalkedFolds,
  { checks, ...options }: AuditOptions = {},
): Promise<readonly Finding[]> {
  const { folds } = walked.source;
  const first = await audit(await foldSubject(walked, 0), { ...options, ...(checks && { checks }) });
  const asked = OF_EVERY_FOLD.filter((check) => checks?.includes(check) ?? true);
  if (asked.length === 0 || folds.length === 1) return first;
  const later: (readonly Finding[])[] = [];
  for (let k = 1; k < folds.length; k++)
    later.push(
      await audit(await foldSubject(walked, k), {
        ...options,
        checks: asked,
        onFinding: () => {},
        onProgress: (done, total, now) =>
          options.onProgress?.((k - 1) * total + done, (folds.length - 1) * total, `fold ${k + 1}: ${now}`),
      }),
    );
  const together = asked.map((_, c) => overFolds(later.map((found) => found[c])));
  for (const finding of together) options.onFinding?.(finding);
  return [...first, ...together];
}

/** Networks and agents go on from fold to fold; baselines and rules learn nothing. */
export const isAudited = ({ kind }: Pick<Model, 'kind'>): boolean => kind === 'classical';

/** What was found of one check in the folds from the second on: the first that is not as it should be, else all of them. */
function overFolds(found: readonly Finding[]): Finding {
  const worst = ['failed', 'warned', 'skipped'].flatMap((verdict) =>
    found.flatMap((finding, k) => (finding.verdict === verdict ? [{ finding, fold: k + 2 }] : [])),
  );
  const folds = found.length === 1 ? 'Fold 2' : `Folds 2 to ${found.length + 1}`;
  if (worst.length === 0) return { ...found[0], text: `${folds}: ${found[0].text}` };
  const [{ finding, fold }] = worst;
  return { ...finding, text: `Fold ${fold}: ${finding.text}` };
}

async function foldSubject(walked: WalkedFolds, k: number) {
  const { registry, timeframe, source, validationPct, seed, signal } = walked;
  const fold = source.folds[k];
  // The first fold is audited on everything after it: a fold alone has too few bars to tell skill from chance.
  const untilMs = k === 0 ? source.folds[source.folds.length - 1].test.untilMs : fold.test.untilMs;
  const entries = source.members.flatMap(({ id, forecasts }) => {
    const model = registry.models.find((one) => one.id === id && isAudited(one));
    return model ? [{ model, params: modelParams(model, 'quick', walked.params[id] ?? {}), forecasts }] : [];
  });
  const read = featuresRead(
    entries.map(({ model, params }) => ({ model, features: model.features(params) })),
  );
  const about = { ...walked, ...read, catalogue: registry.features };
  const panel = await loadPanel(walked.store, { ...about, untilMs });
  const members: AuditedRun['members'][number][] = [];
  for (const { forecasts, ...entry } of entries) {
    const { id } = entry.model;
    const own = deriveSeed(seed, `${id} fold ${k}`);
    const started = performance.now();
    const fitted = await refit(entry, fold, { panel, validationPct, seed: own, signal });
    const seconds = (performance.now() - started) / 1000;
    members.push({
      id,
      ...entry,
      seed: own,
      fitted,
      weightHash: artifactHash(fitted.save()),
      seconds,
      shown: {
        fromMs: fold.test.fromMs,
        forecasts: forecasts.map((forecast, s) =>
          forecastRows(forecast, 0, lowerBound(panel.series[s].candles.time, fold.test.untilMs)),
        ),
      },
    });
  }
  return auditSubject(
    {
      ...about,
      trainUntilMs: validationSpan(fold.train, timeframe, validationPct).fromMs,
      validateUntilMs: fold.train.untilMs,
      members,
      seeds: 1,
      fitFromMs: fold.train.fromMs,
    },
    { ...walked, untilMs },
  );
}
