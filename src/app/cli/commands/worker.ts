import type { Command } from 'commander';
import { z } from 'zod';
import { duration } from '../../../core/foundation/duration.ts';
import { openObjectStore } from '../../../data/object-store.ts';
import { spotRules } from '../../config/execution.ts';
import { work } from '../../workflows/worker.ts';
import { command, type CommandContext } from '../command.ts';
import { UsageError } from '../exit.ts';
import { projectRegistry } from '../project-plugins.ts';
import { queueUrl, STORE_HELP, workerToken } from '../queue-options.ts';

const Options = z.object({ queue: z.string(), coordinator: z.string(), store: z.string().optional() });

const EXAMPLES = `
Examples:
  $ crypto-trader worker --queue redis://10.0.0.5:6379 --coordinator http://10.0.0.5:4100
  $ crypto-trader worker --queue env --coordinator http://10.0.0.5:4100   QUEUE_URL in .env has the address
  $ crypto-trader worker --queue env --coordinator http://10.0.0.5:4100 --store s3://research/parts

Does the work of a command that another machine runs with --queue: trials of \`tune\` and \`automl\`, folds of \`backtest --walk-forward\`, models
and seeds of \`train\`. Settings and data come from there, by hash; the secret WORKER_TOKEN must be the same on both sides, and so must the
program. Ctrl-C or SIGTERM: the job in hand is finished first, a second one stops at once, and the job is done by another worker.`;

export function register(program: Command): void {
  program
    .command('worker')
    .requiredOption(
      '--queue <url>',
      'the redis:// or postgres:// server of the other command; env: QUEUE_URL has it',
    )
    .requiredOption('--coordinator <url>', 'the address that the other command printed')
    .option('--store <url>', STORE_HELP)
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => run(context, Options.parse(options)), { awake: true }));
}

const DONE = { trials: 'trials', folds: 'folds', models: 'models' } as const;

async function run(
  context: CommandContext,
  { queue, coordinator, store }: z.output<typeof Options>,
): Promise<void> {
  const { config, out, log, signal } = context;
  if (!/^https?:\/\/[^/?#]+\/?$/.test(coordinator))
    throw new UsageError(`--coordinator cannot be "${coordinator}": expected http://host:port.`);
  const { kind, done, ended } = await work({
    queueUrl: queueUrl(queue),
    coordinator: coordinator.replace(/\/$/, ''),
    token: workerToken(),
    objects: store === undefined ? undefined : await openObjectStore(store),
    dataDir: config.dataDir,
    registry: await projectRegistry(context),
    rulesFor: (count) => spotRules(config, count, 'worker'),
    acceptImplausible: config.market.acceptImplausible,
    // What is begun is finished; a second signal ends the process.
    signal: new AbortController().signal,
    drain: signal,
    onReady: (name) => out.notice(`Working on ${name}. Ctrl-C finishes the job in hand.`),
    onDone: (piece, seconds) => {
      out.notice(`${piece}: ${duration(seconds)}`);
      log.info({ piece, seconds }, 'job');
    },
    onProblem: (message) => log.warn({ message }, 'job'),
  });
  out.document({ ...{ trials: 0, folds: 0, models: 0 }, [DONE[kind]]: done, ended });
  out.print(
    ended === 'drained'
      ? `Stopped after ${done} ${DONE[kind]}.`
      : `The other command gives no answer any more: it has ended. ${done} ${DONE[kind]} were done here.`,
  );
}
