import { join } from 'node:path';
import type { Command } from 'commander';
import { barsPerYear, parseTimeframe } from '../../../core/market/timeframe.ts';
import { summariseTrials } from '../../../lab/backtest/trial-summary.ts';
import { type Trial, triedMarkets, trialsOf } from '../../../lab/backtest/trials.ts';
import { trialsText } from '../../../lab/backtest/verdicts.ts';
import { command, type CommandContext } from '../command.ts';

const EXAMPLES = `
Examples:
  $ crypto-trader trials list
  $ crypto-trader trials list --json

Every rule that was compared counts: in a backtest, a walk-forward, on validation bars, in a search. Another range of bars
or another cost is no other rule.`;

export function register(program: Command): void {
  const group = program.command('trials').addHelpText('after', EXAMPLES);
  group
    .command('list')
    .description('the ledger: rule by rule, market by market')
    .action(command(async (context) => listTrials(context), { logs: false }));
}

async function listTrials({ config, out }: CommandContext): Promise<void> {
  const file = join(config.dataDir, 'trials.jsonl');
  const markets = triedMarkets(file).map((market) => {
    const trials = trialsOf(file, market);
    return { market, trials, summary: summariseTrials(trials) };
  });
  if (markets.length === 0) out.print('Nothing has been tried yet.');
  for (const { market, trials, summary } of markets) {
    out.print(`\n${market}\n`);
    out.table(
      ['tried', 'strategy', 'where', 'bars', 'Sharpe', 'seed', 'data'],
      trials.map((trial) => row(trial, market)),
    );
    out.print(trialsText(summary));
  }
  out.document({
    file,
    markets: markets.map(({ market, trials, summary }) => ({
      market,
      trials: summary.count,
      effectiveTrials: summary.effective,
      rules: trials.map(({ returns: _, market: __, ...trial }) => ({
        ...trial,
        sharpe: annual(trial, market) ?? null,
      })),
    })),
  });
}

const row = (trial: Trial, market: string): readonly string[] => [
  trial.time.slice(0, 16).replace('T', ' '),
  trial.strategy,
  trial.by ?? '',
  trial.bars === undefined ? '' : String(trial.bars),
  annual(trial, market)?.toFixed(2) ?? '-',
  trial.seed === undefined ? '' : String(trial.seed),
  trial.data?.slice(0, 8) ?? '',
];

function annual({ barSharpe }: Pick<Trial, 'barSharpe'>, market: string): number | undefined {
  if (barSharpe === undefined) return undefined;
  return barSharpe * Math.sqrt(barsPerYear(parseTimeframe(market.split(' ')[1])));
}
