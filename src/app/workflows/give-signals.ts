import type { Panel } from '../../core/dataset/panel.ts';
import type { ExplanationPart } from '../../core/forecast/explanation.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { computePanel, type LoadedMarket } from '../../data/panel/load-panel.ts';
import type { Store } from '../../data/store/store.ts';
import {
  loadTrainedMarket,
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
  type WantedMarket,
} from '../../learning/training/checkpoints.ts';
import { keptForecasts } from '../../learning/training/kept-forecasts.ts';
import type { StoredMember } from '../../learning/training/member-folder.ts';
import { keepSignals } from './prediction-log.ts';
import { decidedSince, sheetOf, type SignalSheet, type SignalTerms } from './signals.ts';
import { goOn, keptSheets, newestRows, ofLastRows } from './sheet-standing.ts';

/** What one model bases its forecast of a symbol's newest bar on. */
interface Explained {
  readonly model: string;
  readonly symbol: PairSymbol;
  readonly parts: readonly ExplanationPart[];
}

export interface GivenSignals extends SignalSheet {
  /** Of the market, up to the close that was decided at. */
  readonly market: LoadedMarket;
  /** Wanted, but not in the run. */
  readonly untrained: readonly PairSymbol[];
  /** Of the models that can say so, where it was asked for. */
  readonly explanations: readonly Explained[] | undefined;
  /** How long ago the newest bar closed. */
  readonly ageMs: number;
  /** Longer ago than a bar lasts: there is a newer one somewhere. */
  readonly isStale: boolean;
  /** Why these signals are not on record. */
  readonly notKept: string | undefined;
}

/**
 * The signals of a run at the close of its newest stored bar, put on record before anybody is told; of an earlier one
 * with `untilMs`, which is no prediction and is not recorded. Throws `UserError` for markets and symbols that the run does
 * not know.
 */
export async function giveSignals(request: {
  readonly store: Store;
  readonly dataDir: string;
  readonly trained: TrainedSet<StoredMember>;
  readonly wanted: WantedMarket;
  readonly terms: SignalTerms;
  readonly untilMs?: number | undefined;
  readonly explain: boolean;
}): Promise<GivenSignals> {
  const { store, dataDir, trained, wanted, terms, untilMs } = request;
  requireSameMarket(trained, wanted);
  const { symbols, untrained } = symbolsOfRun(trained, wanted.symbols);
  const market = await loadTrainedMarket(store, trained, untilMs === undefined ? {} : { untilMs });
  const { signal } = terms;
  // What was known at an earlier bar says less than what is kept, and would take its place.
  const keepDir = untilMs === undefined ? dataDir : undefined;
  const sheet =
    (keepDir === undefined ? undefined : await goneOn(keepDir, trained, market, terms)) ??
    (await fromTheStart(keepDir, trained, market, terms));
  const isSaid = ({ symbol }: { readonly symbol: PairSymbol }): boolean =>
    symbols.includes(symbol) && !sheet.ended.some((one) => one.symbol === symbol);
  const signals = sheet.signals.filter(isSaid);
  const explanations = request.explain
    ? (await explain(trained, await computePanel(market, { ...trained, signal }))).filter(isSaid)
    : undefined;
  const nowMs = Date.now();
  const ageMs = nowMs - market.untilMs;
  const { runId, exchange, timeframe } = trained;
  const about = { runId, exchange, timeframe, synthetic: market.synthetic, givenAtMs: nowMs };
  const by = { strategy: terms.strategy.id, ensemble: terms.ensemble.method.id };
  const notKept =
    untilMs === undefined
      ? // A signal is worth more than its record.
        await keepSignals(dataDir, { ...about, ...by }, signals).then(() => undefined, messageOf)
      : undefined;
  return {
    ...sheet,
    signals,
    market,
    untrained,
    explanations,
    ageMs,
    isStale: ageMs > TIMEFRAME_MS[timeframe],
    notKept,
  };
}

/** From where signals stood when they were last given, if the candles are those of then and some more. */
async function goneOn(
  dataDir: string,
  trained: TrainedSet<StoredMember>,
  market: LoadedMarket,
  terms: SignalTerms,
): Promise<SignalSheet | undefined> {
  const files = keptSheets(dataDir, trained, terms);
  const kept = await files?.read(market);
  if (kept === undefined || kept.standing.decidedSinceMs !== decidedSince(trained, market)) return undefined;
  const members = await goOn(trained, market, kept, terms.signal);
  if (members === undefined) return undefined;
  const { sheet, standing } = await sheetOf(trained, market, terms, {
    rows: newestRows(market, kept),
    standing: kept.standing,
    said: async (member) => members[trained.members.indexOf(member)].forecasts,
  });
  if (standing !== undefined && standing.fromMs > kept.lastMs)
    await files?.keep({ lastMs: standing.fromMs, standing, members: members.map(ofLastRows) }, market);
  return sheet;
}

/** By what every model says of all bars. */
async function fromTheStart(
  dataDir: string | undefined,
  trained: TrainedSet<StoredMember>,
  market: LoadedMarket,
  terms: SignalTerms,
): Promise<SignalSheet> {
  let asked: Awaited<ReturnType<typeof keptForecasts>> | undefined;
  const { sheet, said, standing } = await sheetOf(trained, market, terms, {
    ask: async (sinceMs) => {
      asked = await keptForecasts(dataDir, trained, market, { sinceMs, signal: terms.signal });
      return asked.ask;
    },
  });
  if (dataDir !== undefined && standing !== undefined) {
    const members = trained.members.map((member, m) =>
      ofLastRows({ forecasts: said.members[m].forecasts, follower: asked?.standing(member) }),
    );
    await keptSheets(dataDir, trained, terms)?.keep({ lastMs: standing.fromMs, standing, members }, market);
  }
  return sheet;
}

function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}

async function explain({ members }: TrainedSet<StoredMember>, panel: Panel): Promise<readonly Explained[]> {
  const explained = await Promise.all(
    members.map(async ({ model, open }) => {
      const fitted = await open();
      return ((await fitted.explain?.(panel)) ?? []).map((parts, s) => ({
        model: model.id,
        symbol: panel.series[s].symbol,
        parts,
      }));
    }),
  );
  return explained.flat();
}
