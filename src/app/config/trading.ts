import { z } from 'zod';
import { formatTime, parseTime } from '../../core/foundation/time.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { MODELLED_IMPACT } from '../../core/trading/rules.ts';
import { Account } from './account.ts';
import { Entry } from './entry.ts';
import { basisPoints, DAY_SECONDS, distance, exposure, parsed, percent } from './kinds.ts';

/** A time as text: it is written into kept documents, and read from there again. */
const day = parsed((text) => formatTime(parseTime(text)));

/** `trading`: the account, what a trade costs, and how orders fill. */
export const Trading = z
  .strictObject({
    account: Account.default({ kind: 'spot' }),
    initialBalance: z
      .number()
      .positive()
      .max(1e15)
      .default(10_000)
      .describe('Starting cash in quote currency'),
    feeBps: basisPoints('Taker fee per side').default(10),
    feeTiers: z
      .array(
        z.strictObject({
          fromQuote: z.number().min(0),
          makerBps: z.number().min(-100).max(1000),
          takerBps: basisPoints('Of a taker'),
        }),
      )
      .min(1)
      .refine((tiers) => tiers[0].fromQuote === 0, { message: 'the first tier begins at 0' })
      .refine((tiers) => tiers.every((one, i) => i === 0 || one.fromQuote > tiers[i - 1].fromQuote), {
        message: 'write them in the order of fromQuote',
      })
      .optional()
      .describe(
        'Fees of makers (take-profits, limit orders) and takers by the turnover of 30 days, instead of feeBps: [{ fromQuote: 0, makerBps: 2, takerBps: 5 }]',
      ),
    latencyBars: z
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe('Bars by which a decision fills later than at the next open, in backtests'),
    latencyMs: z
      .number()
      .min(0)
      .max(1000 * 1000 * DAY_SECONDS)
      .default(0)
      .describe(
        'Time from a close to the order at the exchange, in backtests: it fills at the first open that is no earlier',
      ),
    entry: Entry,
    priority: z
      .array(parsed(parseSymbol))
      .default([])
      .describe(
        'Pairs that are served first, in this order, where all together want more than maxExposurePct; default: all get less alike',
      ),
    slippageBps: basisPoints(
      'A fixed slippage per side; default: half the spread and market impact, estimated from past bars',
    ).optional(),
    impactFactor: z
      .number()
      .min(0)
      .max(100)
      .default(MODELLED_IMPACT.factor)
      .describe(
        'Factor of the square-root law of market impact; 0: none; `data slippage` fits it to recorded books',
      ),
    maxHalfSpreadBps: basisPoints(
      'Half the spread where no bar is known, and the most that the estimate from bars may say; `data slippage` fits it',
    ).default(MODELLED_IMPACT.maxHalfSpreadBps),
    participationPct: z
      .number()
      .positive()
      .max(100)
      .default(MODELLED_IMPACT.participationPct)
      .describe(
        "Largest share of a bar's mean volume one order may take; the rest waits; only without slippageBps",
      ),
    maxPositionPct: exposure(
      'Largest position of one symbol, of equity: what a target of 1 means; default: an equal share',
    ).optional(),
    maxExposurePct: exposure(
      'Largest sum of all positions, of equity; above 100 with the leverage of an account',
    ).default(100),
    allowShort: z
      .boolean()
      .default(false)
      .describe('Let a negative forecast sell short; on a spot market it means flat'),
    rebalanceBandPct: percent(
      'Changes of a position smaller than this share of equity do not trade; closing always does',
    ).default(5),
    maxVolumeSharePct: percent(
      "Largest share of a bar's volume one order may take; default: no limit",
    ).optional(),
    amountStep: z
      .number()
      .min(0)
      .default(0.00001)
      .describe('Order amounts are multiples of this where the exchange was not asked (backtest); 0: any'),
    minNotional: z
      .number()
      .min(0)
      .default(5)
      .describe('Least value of an order, in quote currency, where the exchange was not asked (backtest)'),
    priceTick: z
      .number()
      .min(0)
      .default(0)
      .describe('Stops and targets lie on multiples of this, on the side that costs (backtest); 0: any'),
    stopLossPct: distance('Stop-loss distance from the entry price').optional(),
    takeProfitPct: distance('Take-profit distance from the entry price').optional(),
    trailingStopPct: distance('Distance of a trailing stop from the best price').optional(),
    trailingActivationPct: percent('Profit at which the trailing stop starts trailing').default(0),
    intrabarOrder: z
      .enum(['stop-first', 'target-first', 'nearest-first'])
      .default('stop-first')
      .describe('Which came first when one bar reaches both stop and target'),
    takeProfitFill: z
      .enum(['beyond', 'touch'])
      .default('beyond')
      .describe('Whether a take-profit fills only beyond its level, or already when the price touches it'),
    reentry: z
      .enum(['new-signal', 'next-bar'])
      .default('new-signal')
      .describe('After a protective exit: wait until the signal goes flat or turns, or enter again at once'),
    delistedAfterHours: z
      .number()
      .min(0)
      .default(48)
      .describe(
        'A held pair without a bar for this long, while others have bars, is sold at its last close; 0: never',
      ),
    delistingHaircutPct: percent('By how much such a sale fetches less than the last close').default(0),
    members: z
      .record(
        z.string().regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/, 'expected a pair, such as BTC/USDT'),
        z.strictObject({ listed: day.optional(), delisted: day.optional() }),
      )
      .default({})
      .describe(
        'When pairs could be traded, in backtests: { LUNA/USDT: { listed: 2020-08-21, delisted: 2022-05-13 } }; default: while they have bars',
      ),
  })
  .superRefine(({ account, maxExposurePct, maxPositionPct = 0 }, context) => {
    const most = 100 * (account.kind === 'spot' ? 1 : account.leverage);
    const path = maxExposurePct > most ? 'maxExposurePct' : 'maxPositionPct';
    if (Math.max(maxExposurePct, maxPositionPct) > most)
      context.addIssue({
        code: 'custom',
        path: [path],
        message: `at most ${most} with a ${account.kind} account${account.kind === 'spot' ? '' : ` of leverage ${account.leverage}`}`,
      });
  })
  .prefault({});
