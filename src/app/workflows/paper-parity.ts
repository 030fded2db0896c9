import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { Store } from '../../data/store/store.ts';
import { loadHindsight } from '../../desk/paper/hindsight.ts';
import { readLedger } from '../../desk/paper/ledger.ts';
import { compareWithBacktest, type Parity } from '../../desk/paper/parity.ts';
import { ensembleOf, PORTFOLIO, strategyOf } from '../../desk/paper/record.ts';
import { findSession, sessionFolder } from '../../desk/paper/sessions.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import { allSeedsOf } from '../../learning/ensemble/voters.ts';
import { loadTrained } from '../../learning/training/checkpoints.ts';

/** The bars of a paper session through the backtest. `parity` is absent when the session has processed no bar yet. */
export async function sessionParity({
  store,
  dataDir,
  checkpointDir,
  session: wanted,
  run,
  instruments,
}: {
  readonly store: Store;
  readonly dataDir: string;
  readonly checkpointDir: string;
  /** `undefined`: the only one, or the one without a name. */
  readonly session: string | undefined;
  /** `undefined`: the run that decided the newest bar. */
  readonly run: string | undefined;
  /** Steps and minimums instead of those of the session. */
  readonly instruments?: ((symbols: readonly PairSymbol[]) => readonly Instrument[]) | undefined;
}): Promise<{ readonly name: string; readonly parity: Parity | undefined }> {
  const name = await findSession(dataDir, wanted);
  const { session, bars } = await readLedger(sessionFolder(dataDir, name));
  const last = bars.at(-1);
  if (last === undefined) return { name, parity: undefined };
  if (strategyOf(session).id === PORTFOLIO)
    throw new UserError(
      `The paper session "${name}" holds a portfolio, and parity compares the decisions of models.`,
      {
        hint: 'Put its bars through the trading core again: crypto-trader paper verify. Compare the strategy: portfolio backtest.',
      },
    );
  const { id, params } = ensembleOf(session);
  const trained = await loadTrained(checkpointDir, {
    runId: run ?? last.runId,
    allSeedsOf: allSeedsOf(chooseEnsemble(id, params).method),
  });
  try {
    const hindsight = await loadHindsight(store, trained, session, bars);
    const steps = instruments?.(trained.symbols) ?? session.instruments;
    return { name, parity: compareWithBacktest(session, bars, { ...hindsight, instruments: steps }) };
  } finally {
    for (const { fitted } of trained.members) fitted.dispose?.();
  }
}
