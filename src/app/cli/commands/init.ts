import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { parseSymbols, requireOneQuote } from '../../../core/market/symbols.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { writeFileAtomic } from '../../../data/files.ts';
import { builtIn } from '../../../learning/models/registry.ts';
import { loadConfig } from '../../config/load.ts';
import { command, type CommandContext, decimal, list, MOST_MONEY, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';

const RISKS = ['low', 'medium', 'high'] as const;

/** What the three words mean, in settings; every number can be changed in the file. */
const RISK_SETTINGS = {
  low: { exposure: 50, stop: 3, drawdown: 10 },
  medium: { exposure: 80, stop: 5, drawdown: 20 },
  high: { exposure: 100, stop: 10, drawdown: 40 },
} as const;

const Options = z.object({
  exchange: z.string().optional(),
  symbols: z.string().optional(),
  timeframe: z.string().optional(),
  capital: z.string().optional(),
  risk: z.string().optional(),
  models: z.string().optional(),
  yes: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader init                                   asks, on a terminal
  $ crypto-trader init --yes                             every answer as it is proposed
  $ crypto-trader init --exchange kraken --symbols BTC/EUR,ETH/EUR --capital 5000 --risk low`;

export function register(program: Command): void {
  program
    .command('init')
    .option('--exchange <id>', 'a ccxt exchange, such as binance or kraken')
    .option('--symbols <list>', 'pairs, separated by commas: BTC/USDT,ETH/USDT')
    .option('--timeframe <length>', 'bar length: 1m, 5m, 15m, 1h, 4h, 1d, ...')
    .option('--capital <amount>', 'what the paper account starts with, in quote currency')
    .option('--risk <level>', `${RISKS.join(', ')}: exposure, stops and the loss at which trading ends`)
    .option('--models <list>', 'what train fits: all, or names such as boosted-trees,tft')
    .option('--yes', 'ask nothing: flags, else what is proposed')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => init(context, Options.parse(options)), { logs: false }));
}

interface Answers {
  readonly exchange: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly capital: number;
  readonly risk: (typeof RISKS)[number];
  readonly models: 'all' | readonly string[];
}

const QUESTIONS = {
  exchange: { ask: 'Exchange (a ccxt id)', proposed: 'binance' },
  symbols: { ask: 'Pairs', proposed: 'BTC/USDT,ETH/USDT,SOL/USDT' },
  timeframe: { ask: 'Bar length', proposed: '1h' },
  capital: { ask: 'Paper capital, in quote currency', proposed: '10000' },
  risk: { ask: `Risk (${RISKS.join(', ')})`, proposed: 'medium' },
  models: { ask: 'Models to train (all, or names such as boosted-trees,tft)', proposed: 'all' },
} as const;

const checks: { readonly [Key in keyof Answers]: (text: string) => Answers[Key] } = {
  exchange: (text) => {
    if (/^[a-z0-9]{1,40}$/.test(text)) return text;
    throw new UsageError(`--exchange cannot be "${text}": expected a ccxt exchange id, such as binance.`);
  },
  symbols: (text) => {
    const symbols = parseSymbols(list(text));
    if (symbols.length === 0) throw new UsageError('--symbols names no pair.');
    requireOneQuote(symbols);
    return symbols;
  },
  timeframe: (text) => parseTimeframe(text),
  capital: (text) => decimal('--capital', text, { least: 1, most: MOST_MONEY }),
  risk: (text) => oneOf('--risk', text, RISKS),
  models: (text) => {
    if (text === 'all') return text;
    const ids = list(text);
    if (ids.length === 0) throw new UsageError('--models names no model.');
    return ids.map((one) => builtIn.findModel(one).id);
  },
};

async function init(context: CommandContext, options: Options): Promise<void> {
  const { out } = context;
  if (existsSync('config.yaml'))
    throw new UserError('There is a config.yaml here already.', {
      hint: 'Change it with crypto-trader config set or config edit, or make another folder for another project.',
    });
  const answers = await answersOf(context, options);
  const text = configText(answers);
  await writeFileAtomic('config.yaml', text);
  const withEnvironment = !existsSync('.env');
  if (withEnvironment) await writeFileAtomic('.env', ENVIRONMENT);
  loadConfig({ file: 'config.yaml', fileRequired: true, environment: process.env, flags: {} });
  out.document({ ...answers, files: withEnvironment ? ['config.yaml', '.env'] : ['config.yaml'] });
  out.print(
    `Written: config.yaml${withEnvironment ? ' and .env (for keys; public candles need none)' : ''}. Both are checked.`,
  );
  out.print('Next: crypto-trader fetch, then crypto-trader train --mode quick');
}

async function answersOf({ signal }: CommandContext, options: Options): Promise<Answers> {
  const asks = process.stdin.isTTY === true && process.stdout.isTTY === true && !options.yes;
  const prompt = asks ? createInterface({ input: process.stdin, output: process.stdout }) : undefined;
  try {
    const answer = async <Key extends keyof Answers>(key: Key): Promise<Answers[Key]> => {
      const given = options[key];
      if (given !== undefined || prompt === undefined) return checks[key](given ?? QUESTIONS[key].proposed);
      for (;;) {
        const { ask, proposed } = QUESTIONS[key];
        const text = (await prompt.question(`${ask} [${proposed}]: `, { signal })).trim();
        try {
          return checks[key](text === '' ? proposed : text);
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          process.stdout.write(`${error.message}\n`);
        }
      }
    };
    return {
      exchange: await answer('exchange'),
      symbols: await answer('symbols'),
      timeframe: await answer('timeframe'),
      capital: await answer('capital'),
      risk: await answer('risk'),
      models: await answer('models'),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    prompt?.close();
  }
}

function configText({ exchange, symbols, timeframe, capital, risk, models }: Answers): string {
  const { exposure, stop, drawdown } = RISK_SETTINGS[risk];
  return `# Settings of this crypto-trader project. Every key may be left out; \`crypto-trader config show\` prints what is in
# force and where it came from. A flag wins over CRYPTO_TRADER_... in the environment or .env, that over this file.

exchange:
  id: ${exchange}
  mode: paper

market:
  symbols: [${symbols.join(', ')}]
  timeframe: ${timeframe}
  # since: 2024-02-15 # first bar to fetch

training: # shares of the bars in time order; what is left, the oldest, is trained on
  validationPct: 10 # early stopping and comparison
  testPct: 20 # the newest bars: training never sees them, backtests run on them
  ${models === 'all' ? '# models: [boosted-trees, tft] # what train fits; all that learn unless they are named' : `models: [${models.join(', ')}] # what train fits`}

trading: # risk: ${risk}
  initialBalance: ${capital} # quote currency
  feeBps: 10 # taker fee per side: look up what your exchange takes
  maxExposurePct: ${exposure} # of equity, all symbols together
  stopLossPct: ${stop}

risk:
  maxDrawdownPct: ${drawdown} # from its peak; then everything is closed and nothing opened again
`;
}

const ENVIRONMENT = `# Secrets stay here or in the environment, never in config.yaml. Everything is optional: public candles and paper
# trading need no key.
# EXCHANGE_API_KEY=
# EXCHANGE_API_SECRET=
# EXCHANGE_API_PASSPHRASE=
# NOTIFY_TELEGRAM_TOKEN=
# NOTIFY_TELEGRAM_CHAT_ID=
`;
