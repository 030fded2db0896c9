import { z } from 'zod';
import { ALLOCATION_DEFAULTS } from '../../core/portfolio/allocator.ts';
import { DEFAULT_UNIVERSE } from '../../core/portfolio/universe.ts';
import { SPOT_RULES } from '../../core/trading/rules.ts';
import { loadLinearSolver } from '../../lab/portfolio/highs.ts';
import { configuredInstruments, riskRules, spotRules } from '../config/execution.ts';
import type { OpenPaper, PaperRequest } from '../workflows/paper.ts';
import { openPortfolioPaper } from '../workflows/paper-portfolio.ts';
import type { CommandContext } from './command.ts';
import { UsageError } from './exit.ts';
import {
  barsPerYearOf,
  limitsOfOptions,
  memberNamed,
  PORTFOLIO_OPTIONS,
  rebalanceOf,
  settingsOf,
  strategyNames,
  windowOf,
} from './portfolio-options.ts';
import { trainedStrategy } from './portfolio/learners.ts';
import type { MARKET_OPTIONS } from './run-options.ts';

/** Options of `paper` that mean something with `--portfolio` alone. */
export const PORTFOLIO_PAPER_OPTIONS = {
  portfolio: z.string().optional(),
  allocator: z.string().optional(),
  window: z.string().optional(),
  covariance: z.string().optional(),
  rebalance: z.string().optional(),
  drift: z.string().optional(),
  max: z.string().optional(),
};
type Options = z.output<z.ZodObject<typeof PORTFOLIO_PAPER_OPTIONS>> &
  Pick<z.output<z.ZodObject<typeof MARKET_OPTIONS>>, 'symbols' | 'timeframe'> & {
    readonly exchange?: string | false | undefined;
    readonly fresh: boolean;
  };

/** Opens the session of `paper --portfolio`. */
export async function openPortfolio(
  context: CommandContext,
  options: Options & { readonly portfolio: string },
  { store, bars, name }: Pick<PaperRequest, 'store' | 'bars' | 'name'>,
): Promise<OpenPaper> {
  const { config, out, log, signal } = context;
  const [allocator, ...more] = strategyNames('--portfolio', options.portfolio);
  if (more.length > 0) throw new UsageError('--portfolio takes one strategy.');
  const exchange = options.exchange === false ? undefined : options.exchange;
  const timeframe = options.timeframe ?? '1d';
  const { rebalance = '1w', drift = '10', max } = options;
  const chosen = z.object(PORTFOLIO_OPTIONS).parse({
    window: options.window,
    covariance: options.covariance ?? ALLOCATION_DEFAULTS.covariance,
    max,
  });
  const members = options.symbols?.map(memberNamed) ?? DEFAULT_UNIVERSE;
  const { impact: _, ...spot } = spotRules(config, members.length, 'paper');
  return openPortfolioPaper(
    {
      store,
      dataDir: config.dataDir,
      bars,
      name,
      fresh: options.fresh,
      exchange: exchange ?? config.exchange.id,
      timeframe,
      members,
      named: options.symbols !== undefined,
      terms: {
        allocator,
        trained: options.allocator,
        window: windowOf(chosen),
        covariance: chosen.covariance,
        rebalance: rebalance === 'threshold' ? `${drift} % out of place` : rebalance,
        maxPct: max === undefined ? undefined : Number(max),
      },
      allocator,
      windowBars: windowOf(chosen),
      rebalance: rebalanceOf({ rebalance, drift }, timeframe),
      strategyFor: (source) => trainedStrategy(context, source, allocator, options.allocator),
      limitsFor: limitsOfOptions(chosen, members),
      settings: settingsOf(chosen, barsPerYearOf({ timeframe }), 0),
      solveLinear: await loadLinearSolver(),
      // What weights say is ordered whole: no band, no share a pair, no stop of a single one.
      rules: {
        ...SPOT_RULES,
        initialBalance: spot.initialBalance,
        feeBps: spot.feeBps,
        feeTiers: spot.feeTiers,
        slippageBps: spot.slippageBps,
        delistedAfterMs: spot.delistedAfterMs,
        rebalanceBandPct: 0,
      },
      risk: riskRules(config.risk),
      instruments: (symbols) => configuredInstruments(config.trading, symbols),
      log,
      signal,
    },
    (text) => out.notice(text),
  );
}
