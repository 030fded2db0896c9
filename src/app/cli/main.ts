import { Command, CommanderError } from 'commander';
import { UserError } from '../../core/foundation/errors.ts';
import { plainText } from '../../core/foundation/plain-text.ts';
import { explainSystemError } from '../../data/file-errors.ts';
import { programVersion } from '../../data/program-version.ts';
import { refuseExcess } from './subcommands.ts';
import { loadEnvironmentFile } from './environment-file.ts';
import { screenWidth, wrapped } from './wrap.ts';
import { createRedactor } from '../config/redact.ts';

interface CommandModule {
  /** `whole`: the program with every command declared, for what is made from it. */
  register(program: Command, whole: () => Promise<Command>): void;
}

/** `summary`: the one text of a command, in the list of all and over its own help. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** Every command, in the order of the help. A command's file is loaded only when it is asked for. */
const COMMANDS: readonly Entry[] = [
  {
    name: 'overview',
    summary: 'where the project in this folder stands, and what to do next (also without any command)',
    load: () => import('./commands/overview.ts'),
  },
  {
    name: 'init',
    summary: 'a project in this folder: config.yaml and .env, from questions or flags',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'demo',
    summary: 'the whole job in one go: fetch, quick training, backtest with report, one paper cycle',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'fetch',
    summary:
      'candles into the store, from an exchange, Yahoo, CSV files or a generator; resumes after any stop',
    load: () => import('./commands/fetch.ts'),
  },
  {
    name: 'data',
    summary: 'list, verify, compact, export the stored candles and series; show their gaps',
    load: () => import('./commands/data.ts'),
  },
  {
    name: 'text',
    summary: 'news and posts into the store, each with the time at which it was first seen',
    load: () => import('./commands/text.ts'),
  },
  {
    name: 'features',
    summary: 'the feature catalogue, feature values, and a proof that none looks ahead',
    load: () => import('./commands/features.ts'),
  },
  {
    name: 'train',
    summary: 'train models on the stored candles; finished models are kept, and snapshots on the way',
    load: () => import('./commands/train.ts'),
  },
  {
    name: 'retrain',
    summary: 'train the active models on newer bars; the new run takes over unless it is worse',
    load: () => import('./commands/retrain.ts'),
  },
  {
    name: 'tune',
    summary: 'search hyper-parameters on purged folds, and say what luck alone would have found',
    load: () => import('./commands/tune.ts'),
  },
  {
    name: 'automl',
    summary:
      'search timeframes, features, models, ensembles and strategies together, against luck and equal weights',
    load: () => import('./commands/automl.ts'),
  },
  {
    name: 'worker',
    summary: 'measure trials of a search that runs on another machine, from a queue',
    load: () => import('./commands/worker.ts'),
  },
  {
    name: 'backtest',
    summary: 'trade the forecasts on stored candles: next-open fills, costs, baselines, intervals',
    load: () => import('./commands/backtest.ts'),
  },
  {
    name: 'audit',
    summary: 'try to prove the result of a training run wrong, and say how',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'trials',
    summary: 'every decision rule tried, on which market, and what the best of as many shows by luck alone',
    load: () => import('./commands/trials.ts'),
  },
  {
    name: 'verify',
    summary: 'make the result of a report again, and say whether every digit is the same',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'results',
    summary: 'walk every model forward, trade by every strategy, audit, and write it down',
    load: () => import('./commands/results.ts'),
  },
  {
    name: 'report',
    summary: 'published figures beside ours, on the same window and pairs',
    load: () => import('./commands/report.ts'),
  },
  {
    name: 'portfolio',
    summary: 'how much of each asset: weights, frontiers, and whether any of it beats equal weights',
    load: () => import('./commands/portfolio.ts'),
  },
  {
    name: 'signals',
    summary: 'what every model and the ensemble want now, on the newest stored bar; trades nothing',
    load: () => import('./commands/signals.ts'),
  },
  {
    name: 'advisor',
    summary: 'ask language models about the project: every figure cited, no vote in any decision',
    load: () => import('./commands/advisor.ts'),
  },
  {
    name: 'models',
    summary: 'the models, their parameters, what was trained and how it did',
    load: () => import('./commands/models.ts'),
  },
  {
    name: 'paper',
    summary: 'trade closed bars on paper, with a ledger that survives any stop',
    load: () => import('./commands/paper.ts'),
  },
  {
    name: 'live',
    summary: 'trade at an exchange, behind four locks; plan, status, flatten',
    load: () => import('./commands/live.ts'),
  },
  {
    name: 'exchanges',
    summary: 'which exchanges there are; whether one answers, knows the pairs, and what the key may do',
    load: () => import('./commands/exchanges.ts'),
  },
  {
    name: 'service',
    summary: 'run without anybody there: systemd, launchd and cron texts; is every session well?',
    load: () => import('./commands/service.ts'),
  },
  {
    name: 'notify',
    summary:
      'messages about sessions: webhook, Discord, Slack, Telegram, ntfy, mail, bell, or your own notifier',
    load: () => import('./commands/notify.ts'),
  },
  {
    name: 'alerts',
    summary: 'be told when a price, a signal, the drawdown or the feed does what you name',
    load: () => import('./commands/alerts.ts'),
  },
  {
    name: 'dashboard',
    summary: 'watch the paper session and training live; read-only',
    load: () => import('./commands/dashboard.ts'),
  },
  {
    name: 'serve',
    summary: 'the whole program in a browser, on this machine alone; an HTTP API for programs',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'new',
    summary: 'start code of your own from a commented file that works as it is',
    load: () => import('./commands/new.ts'),
  },
  {
    name: 'plugin',
    summary: 'code of your own: list it, and try every law on it',
    load: () => import('./commands/plugin.ts'),
  },
  {
    name: 'config',
    summary: 'show and change settings, and say where each came from',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'doctor',
    summary: 'check this machine, the settings, the exchange and the stored data; say what to do',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'a script that completes commands and options in bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
];

/** Runs the program and sets `process.exitCode`. `argv` as in `process.argv`. */
export async function main(argv: readonly string[]): Promise<void> {
  stopWhenNobodyReads();
  const fault = environmentFault();
  const redact = createRedactor(process.env);
  // Without a command: where the project stands.
  const words = argv.slice(2);
  if (words.every((argument) => ['--json', '--no-color', '--wide'].includes(argument)))
    words.push('overview');
  const word = words.find((argument) => COMMANDS.some(({ name }) => name === argument));
  const asked = COMMANDS.find(({ name }) => name === word);
  const program = emptyProgram(redact)
    // Help needs no environment, every command does.
    .hook('preAction', (_, asked) => {
      refuseExcess(asked);
      if (fault !== undefined) throw fault;
    })
    .addHelpText('after', EXAMPLES);
  try {
    for (const entry of COMMANDS) {
      if (entry === asked) await declare(program, entry);
      else program.command(entry.name).description(entry.summary);
    }
    for (const subcommand of program.commands) subcommand.copyInheritedSettings(program);
    // What is left over is refused in better words: see subcommands.ts.
    for (const one of allBelow(program)) one.allowExcessArguments();
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    // commander has printed its message and the nearest valid word already.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    // What a command needs is loaded with the first one: help, typed often, comes at once.
    else {
      const [{ fail }, { createOutput }] = await Promise.all([import('./command.ts'), import('./output.ts')]);
      const json = argv.includes('--json');
      fail(error, { out: createOutput({ json, colour: false, width: undefined, redact }), redact });
    }
  }
}

/** The program with every command and option declared. */
export async function wholeProgram(): Promise<Command> {
  const program = emptyProgram((text) => text);
  for (const entry of COMMANDS) await declare(program, entry);
  return program;
}

async function declare(program: Command, entry: Entry): Promise<void> {
  (await entry.load()).register(program, wholeProgram);
  program.commands.find((command) => command.name() === entry.name)?.description(entry.summary);
}

function emptyProgram(redact: (text: string) => string): Command {
  return new Command('crypto-trader')
    .description(
      'Research and paper trading for crypto: real candles, honest backtests, models trained at native speed.',
    )
    .version(programVersion(), '--version')
    .option('--config <file>', 'settings file (default: config.yaml)')
    .option('--json', 'one JSON document on stdout; logs and progress on stderr')
    .option('--log-level <level>', 'debug, info, warn or error')
    .option(
      '--set <setting=value>',
      'a setting for this command alone, such as strategies.threshold.medianPct=3; again for more',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--seed <number>', 'seed of everything random')
    .option('--no-color', 'plain text')
    .option('--wide', 'every column of every table, however narrow the terminal (as on a pipe)')
    .option('--trust', 'run the code in user/ that nobody has agreed to yet, and remember it')
    .helpOption('-h, --help', 'show help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void process.stdout.write(wrapped(text, screenWidth(process.stdout))),
      // What was typed comes back in commander's errors.
      writeErr: (text) =>
        void process.stderr.write(wrapped(redact(plainText(text)), screenWidth(process.stderr))),
    })
    .showHelpAfterError('(see --help)')
    .exitOverride();
}

const allBelow = (command: Command): readonly Command[] =>
  command.commands.flatMap((one) => [one, ...allBelow(one)]);

/** Reads `.env`; what is wrong with it. */
function environmentFault(): UserError | undefined {
  try {
    loadEnvironmentFile('.env', process.env);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

const EXAMPLES = `
Examples:
  $ crypto-trader demo                          the whole job in one go
  $ crypto-trader fetch --symbols BTC/USDT --since 2024-02-15
  $ crypto-trader train --mode quick
  $ crypto-trader backtest --report report.html
  $ crypto-trader paper --interval-seconds 60   in one terminal,
  $ crypto-trader dashboard                     and this in another

Exit codes: 0 done, 1 you can fix it, 2 wrong command line, 3 finished but its check failed, 130 interrupted.`;

/**
 * `crypto-trader models list | head`, `crypto-trader train 2>&1 | head`: the reader has gone, which is no error. A full
 * disk behind `>` is one; behind `2>` it costs the messages only.
 */
function stopWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      if (stream === process.stderr) return;
      process.stderr.write(
        `The output cannot be written: ${explainSystemError(error)?.message ?? error.message}\n`,
      );
      process.exit(1);
    });
}
