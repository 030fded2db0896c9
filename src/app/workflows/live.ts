import { hash } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../core/market/timeframe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { RESTING_STOPS } from '../../data/exchange/open-venue.ts';
import type { Venue } from '../../data/exchange/venue.ts';
import { acquireLock } from '../../data/lock.ts';
import { type LiveLedger, resumeLive, startLive } from '../../desk/live/ledger.ts';
import type { LiveSession } from '../../desk/live/record.ts';
import { assetsOf } from '../../desk/live/state.ts';

/** What a live session trades, where and under which limits: what is confirmed, and what it keeps. */
export interface LiveTerms {
  readonly exchange: string;
  readonly sandbox: boolean;
  /** Another host than the exchange's own. */
  readonly host: string | undefined;
  readonly account: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly rules: ExecutionRules;
  readonly risk: RiskRules | undefined;
  readonly execution: LiveSession['execution'];
  readonly strategy: NonNullable<LiveSession['strategy']>;
  readonly ensemble: NonNullable<LiveSession['ensemble']>;
}

export const liveFolder = (dataDir: string, name: string): string => join(dataDir, 'live', name);

/** A name for an account that tells no key: 8 digits of the SHA-256 of exchange and key. */
export const accountOf = (exchange: string, apiKey: string): string =>
  hash('sha256', `${exchange} ${apiKey}`, 'hex').slice(0, 8);

/** What an unattended start has to know: it changes with every limit, the account and the exchange. */
export const termsHash = (terms: LiveTerms): string =>
  hash(
    'sha256',
    JSON.stringify(terms, (_, value: unknown) => value ?? null),
    'hex',
  ).slice(0, 16);

/** Throws `UserError` for rules that no exchange would carry out as a backtest does. */
export function requireTradable({ exchange, rules, symbols, execution, timeframe }: LiveTerms): void {
  const carried: readonly (readonly [string, boolean])[] = [
    ['trading.trailingStopPct', rules.trailingStop === undefined],
    ['exits', rules.exits === undefined],
    ['trading.maxVolumeSharePct', rules.maxVolumeSharePct === undefined],
    ['trading.allowShort', !rules.allowShort],
  ];
  const not = carried.filter(([, is]) => !is).map(([setting]) => setting);
  if (not.length > 0)
    throw new UserError(`Live trading does not carry out ${not.join(', ')} yet, and will not ignore it.`, {
      hint: `Unset it: crypto-trader config unset ${not[0]}. Limits on the account are in the section risk.`,
    });
  const { stopLossPct } = rules;
  if (stopLossPct !== undefined && !RESTING_STOPS.includes(exchange))
    throw new UserError(
      `trading.stopLossPct is ${stopLossPct}, and no stop rests on ${exchange}: a stop that is triggered becomes another order there, which this program does not follow.`,
      {
        hint: `Trade on ${RESTING_STOPS.join(' or ')}, or unset it and set risk.maxDrawdownPct. trading.takeProfitPct rests on every exchange.`,
      },
    );
  const quotes = [...new Set(symbols.map((symbol) => symbol.split('/')[1]))];
  if (quotes.length > 1)
    throw new UserError(
      `Live trading counts in one currency, and these pairs have ${quotes.length}: ${quotes.join(', ')}.`,
      {
        hint: 'Choose pairs of one quote currency: --symbols.',
      },
    );
  if (execution.restMs > TIMEFRAME_MS[timeframe] / 2)
    throw new UserError(
      `execution.restSeconds is ${execution.restMs / 1000}, more than half a bar of ${timeframe}.`,
      { hint: 'An order that rests has to be over before the next decision: choose less.' },
    );
}

/** What the key may do. Throws `UserError` for one that may not trade, and for one that may take money out. */
export async function requireSafeKey(
  venue: Venue,
  { exchange, sandbox }: Pick<LiveTerms, 'exchange' | 'sandbox'>,
  signal: AbortSignal,
): Promise<'checked' | 'not-asked'> {
  // The playgrounds have no answer to this, and no money.
  if (sandbox) return 'not-asked';
  const reply = await venue.permissions(signal);
  if (signal.aborted) throw signal.reason;
  if (reply.kind !== 'answered')
    throw new UserError(`${exchange} does not say what this key may do: ${reply.reason}`, {
      hint: 'Check EXCHANGE_API_KEY, EXCHANGE_API_SECRET and the addresses the key may be used from. Without an answer nothing is traded.',
    });
  const { trade, withdraw } = reply.value;
  if (withdraw !== false)
    throw new UserError(`This key of ${exchange} may withdraw money.`, {
      hint: 'Make one that may only read and trade: a program that trades never needs more, and who steals the key could empty the account.',
    });
  if (trade !== true)
    throw new UserError(`This key of ${exchange} may not trade on the spot market.`, {
      hint: 'Allow it at the exchange, or trade on paper.',
    });
  return 'checked';
}

/** What the account holds; throws `UserError` when nobody says. */
export async function balancesOf(
  venue: Venue,
  exchange: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const reply = await venue.balances(signal);
  if (signal.aborted) throw signal.reason;
  if (reply.kind === 'answered') return reply.value;
  throw new UserError(`${exchange} does not say what the account holds: ${reply.reason}`, {
    hint: 'Check the key and the network. Without an answer nothing is traded.',
  });
}

/**
 * Resumes the session in `folder` or starts one, as the only process that may write it. Throws `UserError` when it was started under
 * other terms, when another process runs it, or when the account holds less than the plan needs.
 */
export async function openLive(
  folder: string,
  name: string,
  terms: LiveTerms,
  given: {
    readonly venue: Venue;
    readonly runId: string;
    readonly instruments: () => Promise<readonly Instrument[]>;
    readonly nowMs: number;
    readonly signal: AbortSignal;
  },
): Promise<LiveLedger> {
  const lock = await acquireLock(`${folder}.lock`, { waitMs: 0, purpose: `live trading ${name}` });
  try {
    const kept = await resumeLive(folder);
    if (kept !== undefined) assertSameTerms(kept.state.session, terms);
    const ledger = kept ?? (await startLive(folder, await describe(name, terms, given)));
    return {
      ...ledger,
      close: async () => {
        try {
          await ledger.close();
        } finally {
          await lock.release();
        }
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function describe(
  name: string,
  terms: LiveTerms,
  given: Parameters<typeof openLive>[3],
): Promise<LiveSession> {
  const { symbols: _, risk, ...kept } = terms;
  const instruments = [...(await given.instruments())];
  const session: LiveSession = {
    kind: 'live-session',
    version: 1,
    sessionId: `${name}-${given.nowMs}`,
    startedAtMs: given.nowMs,
    runId: given.runId,
    instruments,
    risk: risk && { ...risk, protections: [...risk.protections] },
    baseline: {},
    ...kept,
  };
  const held = await balancesOf(given.venue, terms.exchange, given.signal);
  const baseline = Object.fromEntries(assetsOf(session).map((asset) => [asset, held.get(asset) ?? 0]));
  const quote = instruments[0].symbol.split('/')[1];
  const { initialBalance } = terms.rules;
  if (baseline[quote] < initialBalance)
    throw new UserError(
      `The account holds ${baseline[quote]} ${quote}, and the plan is to trade with ${initialBalance} (trading.initialBalance).`,
      { hint: 'Put in what is missing, or plan with less.' },
    );
  return { ...session, baseline };
}

function assertSameTerms(session: LiveSession, terms: LiveTerms): void {
  const then = { ...session, symbols: session.instruments.map(({ symbol }) => symbol) };
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value ?? null, (_, one: unknown) => one ?? null));
  const changed = Object.entries(terms).filter(
    ([key, value]) =>
      !isDeepStrictEqual(plain(value), plain(Object.entries(then).find(([name]) => name === key)?.[1])),
  );
  if (changed.length === 0) return;
  throw new UserError(
    `The live session "${session.sessionId}" was started with other settings: ${changed.map(([key]) => `"${key}"`).join(', ')}.`,
    { hint: 'Set them back, or start another session: live start --name <name>.' },
  );
}
