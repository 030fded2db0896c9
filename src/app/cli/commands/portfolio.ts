import type { Command } from 'commander';
import { allocators } from '../../../core/portfolio/allocator.ts';
import { command } from '../command.ts';
import { addPortfolioOptions } from '../portfolio-options.ts';
import { addMarketOptions } from '../run-options.ts';
import { OptimiseOptions, optimise } from '../portfolio/optimise.ts';
import {
  FrontierOptions,
  CompareOptions,
  CorrelationOptions,
  showFrontier,
  correlation,
  compare,
} from '../portfolio/explore.ts';
import { BacktestOptions, backtest } from '../portfolio/walk-forward.ts';
import { TrainOptions, train } from '../portfolio/learners.ts';

const EXAMPLES = `
Examples:
  $ crypto-trader portfolio optimise --strategy min-variance --investment 10000
  $ crypto-trader portfolio optimise --max 25 --group majors=BTC/USDT+ETH/USDT:30..60 --held BTC/USDT=0.05
  $ crypto-trader portfolio frontier --symbols BTC/USDT,ETH/USDT,SOL/USDT
  $ crypto-trader portfolio correlation
  $ crypto-trader portfolio compare                          every strategy's weights today
  $ crypto-trader portfolio backtest --strategies all --rebalance 1w --report portfolio.html`;

export function register(program: Command): void {
  const group = program.command('portfolio').addHelpText('after', EXAMPLES);

  addPortfolioOptions(
    group.command('optimise').description('weights now, money for each, and the orders that lead there'),
  )
    .option('--strategy <id>', `one of ${allocators.map(({ id }) => id).join(', ')}`, 'max-sharpe')
    .option(
      '--allocator <name>',
      'the trained one that --strategy deep, rl or ppo means, by the name it was trained under',
    )
    .option(
      '--forecasts <runs>',
      'expected returns from these training runs, such as one for 1, one for 7 and one for 30 days, shrunk by their record',
    )
    .option('--investment <amount>', 'capital in quote currency', '10000')
    .option(
      '--held <amounts>',
      'base amounts that are held, such as BTC/USDT=0.1,ETH/USDT=2; with --cash they are the capital',
    )
    .option('--cash <amount>', 'quote currency beside --held', '0')
    .action(
      command((context, options) => optimise(context, OptimiseOptions.parse(options)), { logs: false }),
    );

  addPortfolioOptions(
    group
      .command('frontier')
      .description('least risk for each expected return, and how much of it is chance'),
  )
    .option('--points <count>', 'portfolios along the frontier', '20')
    .action(
      command((context, options) => showFrontier(context, FrontierOptions.parse(options)), { logs: false }),
    );

  addPortfolioOptions(
    group.command('correlation').description('which assets move, and crash, together'),
  ).action(
    command((context, options) => correlation(context, CorrelationOptions.parse(options)), { logs: false }),
  );

  addPortfolioOptions(group.command('compare').description("every strategy's weights now, side by side"))
    .option('--strategies <list>', 'strategies, or all', 'all')
    .action(command((context, options) => compare(context, CompareOptions.parse(options)), { logs: false }));

  addPortfolioOptions(
    group
      .command('backtest')
      .description('strategies walked forward with costs, against equal weights, bitcoin and cash'),
  )
    .option('--strategies <list>', 'strategies, or all', 'all')
    .option('--since <date>', 'first decision (UTC; default: as soon as there is a whole window)')
    .option('--rebalance <when>', '1d, 1w, 2w, 1M, or threshold: when weights have drifted', '1w')
    .option(
      '--drift <percent>',
      'share of the capital out of place at which --rebalance threshold acts',
      '10',
    )
    .option('--fee-bps <number>', 'fee per side, in basis points')
    .option('--slippage-bps <number>', 'slippage per side, in basis points')
    .option(
      '--forecasts <runs>',
      'expected returns moved by these training runs, from the bars on that their training did not see',
    )
    .option('--refit <bars>', 'retrain deep, rl, ppo and hybrid every N bars', '91')
    .option('--steps <count>', 'training steps of deep, rl, ppo and hybrid')
    .option('--report <file>', 'write a report as one HTML file')
    .option('--markdown <file>', 'write the comparison as a page of Markdown')
    .action(command((context, options) => backtest(context, BacktestOptions.parse(options))));

  addMarketOptions(
    group.command('train').description('teach an allocator on the stored candles'),
    ['exchange', 'symbols', 'timeframe', 'until'],
    {
      symbols: 'pairs instead of the default twenty',
      timeframe: 'bar length (default: 1d)',
      until: 'learn from bars up to the end of this date (UTC; default: all)',
    },
  )
    .requiredOption(
      '--allocator <id>',
      'deep (LSTM with attention on the Sharpe ratio), rl (EIIE), or ppo (a policy over weights)',
    )
    .option('--universe <file>', 'YAML list of members')
    .option('--name <name>', 'what the checkpoint is called (default: the allocator)')
    .option('--steps <count>', 'training steps in all')
    .option('--resume', 'resume from the checkpoint of that name')
    .action(command((context, options) => train(context, TrainOptions.parse(options))));
}
