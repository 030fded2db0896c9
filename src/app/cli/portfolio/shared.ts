import { quadraticForm } from '../../../core/portfolio/expected-returns.ts';
import { SPOT_RULES } from '../../../core/trading/rules.ts';
import { type PortfolioMarket } from '../../workflows/portfolio.ts';
import { type CommandContext } from '../command.ts';

/** Without a setting that of `SPOT_RULES`: one figure for all assets. */
export const slippageOf = ({ trading }: CommandContext['config']): number =>
  trading.slippageBps ?? SPOT_RULES.slippageBps;

export const volatilityPct = (
  { covariance, weights }: { readonly covariance: readonly Float64Array[]; readonly weights: Float64Array },
  barsPerYear: number,
): number => 100 * Math.sqrt(quadraticForm(covariance, weights) * barsPerYear);

export function header(
  { out }: CommandContext,
  source: PortfolioMarket,
  windowBars: number,
  time: string,
): void {
  if (source.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  out.print(
    `${source.exchange} ${source.timeframe}, ${windowBars} returns up to ${time.slice(0, 16).replace('T', ' ')} UTC.`,
  );
}

export const figure = (value: number | undefined, digits = 1): string =>
  value === undefined ? '-' : value.toFixed(digits);
