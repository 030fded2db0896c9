import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { type AccountRules, tiersOf } from '../../core/trading/accounts/account-rules.ts';

const rate = z.number().min(0).max(1000);

const leveraged = {
  leverage: z
    .number()
    .min(1)
    .max(125)
    .default(1)
    .describe(
      'What maxExposurePct may go up to, in capitals; isolated positions stand on their value / leverage',
    ),
  liquidationFeeBps: z
    .number()
    .min(0)
    .max(1000)
    .default(125)
    .describe('Of what a liquidation closes, beside the fee; 125 is that of BTCUSDT on Binance'),
  tiers: z
    .array(z.strictObject({ fromNotional: z.number().min(0), ratePct: z.number().min(0).max(100) }))
    .min(1)
    .default([{ fromNotional: 0, ratePct: 1 }])
    .refine((tiers) => tiers[0].fromNotional === 0, { message: 'the first tier begins at 0' })
    .refine((tiers) => tiers.every((one, i) => i === 0 || one.fromNotional > tiers[i - 1].fromNotional), {
      message: 'write them in the order of fromNotional',
    })
    .describe('Maintenance margin by the value of a position: from fromNotional on ratePct of it'),
};

/** What kind of account trades: `trading.account`. A kind alone may be written as a word. */
export const Account = z
  .preprocess(
    (value) => (typeof value === 'string' ? { kind: value } : value),
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('spot') }),
      z.strictObject({
        kind: z.literal('margin'),
        ...leveraged,
        quoteInterestPct: rate.default(10).describe('Interest a year on borrowed quote currency, percent'),
        baseInterestPct: rate.default(10).describe('Interest a year on borrowed coins, percent'),
      }),
      z.strictObject({
        kind: z.literal('perpetual'),
        ...leveraged,
        contract: z
          .enum(['linear', 'inverse'])
          .default('linear')
          .describe('Settled in the quote currency, or in the coin: then initialBalance is in coins'),
        marginMode: z
          .enum(['cross', 'isolated'])
          .default('cross')
          .describe('Whether a position stands on all of the account or on its own margin'),
        funding: z
          .enum(['series', 'waived'])
          .default('series')
          .describe(
            'Stored funding rates of features.derivatives are charged, and one that is missing is an error; waived: none is charged',
          ),
        markFrom: z
          .string()
          .regex(/^[a-z0-9]{1,40}$/, 'expected an exchange id of small letters and digits, such as markprice')
          .optional()
          .describe(
            'Exchange id under which candles of the mark price are stored, by which positions are liquidated and funded; default: the last price',
          ),
      }),
    ]),
  )
  .describe(
    'What trades: spot, margin or perpetual; the last two with leverage and liquidation, in backtests',
  );

export type Account = z.output<typeof Account>;

/** The account as the execution core knows it; `undefined`: spot. */
export function accountRules(account: Account): AccountRules | undefined {
  if (account.kind === 'spot') return undefined;
  const { leverage, liquidationFeeBps } = account;
  const common = { leverage, liquidationFeeBps, tiers: tiersOf(account.tiers) };
  if (account.kind === 'margin') {
    const { quoteInterestPct, baseInterestPct } = account;
    return { kind: 'margin', ...common, quoteInterestPct, baseInterestPct };
  }
  const { contract, marginMode, funding } = account;
  return { kind: contract, ...common, marginMode, funding };
}

/** Modelled slippage and volume limits go by volumes in coins, which say nothing of the amounts of an inverse contract. */
export function requireInverseCosts(trading: {
  readonly account: Account;
  readonly slippageBps?: number | undefined;
  readonly maxVolumeSharePct?: number | undefined;
}): void {
  const { account, slippageBps, maxVolumeSharePct } = trading;
  if (account.kind !== 'perpetual' || account.contract !== 'inverse') return;
  if (slippageBps === undefined)
    throw new UserError(
      'Slippage is modelled from volumes in coins, and amounts of inverse contracts are not in coins.',
      {
        hint: 'State a fixed one: --slippage-bps 5, or trading.slippageBps.',
      },
    );
  if (maxVolumeSharePct !== undefined)
    throw new UserError(
      'trading.maxVolumeSharePct goes by volumes in coins, and amounts of inverse contracts are not in coins.',
      {
        hint: 'Leave it out: crypto-trader config unset trading.maxVolumeSharePct.',
      },
    );
}

/** `what`, such as `paper`, trades spot accounts: another one is refused by name instead of being traded as if it were spot. */
export function requireSpot({ kind }: Account, what: string): void {
  if (kind === 'spot') return;
  throw new UserError(`\`${what}\` trades spot accounts; trading.account is ${kind}.`, {
    hint: 'Backtests trade it: `crypto-trader backtest`. Else set trading.account to spot.',
  });
}
