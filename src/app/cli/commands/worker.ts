import type { Command } from 'commander';
import { z } from 'zod';
import { duration } from '../../../core/foundation/duration.ts';
import { spotRules } from '../../config/execution.ts';
import { workForStudy } from '../../workflows/trial-worker.ts';
import { command, type CommandContext } from '../command.ts';
import { UsageError } from '../exit.ts';
import { projectRegistry } from '../project-plugins.ts';
import { queueUrl, workerToken } from '../queue-options.ts';

const Options = z.object({ queue: z.string(), coordinator: z.string() });

const EXAMPLES = `
Examples:
  $ crypto-trader worker --queue redis://10.0.0.5:6379 --coordinator http://10.0.0.5:4100
  $ crypto-trader worker --queue env --coordinator http://10.0.0.5:4100   QUEUE_URL in .env has the address

Takes trials of the search that \`tune --queue\` or \`automl --queue\` runs on another machine. Settings and data come from there, by
hash; the secret WORKER_TOKEN must be the same on both sides, and so must the program. Ctrl-C or SIGTERM: the trial in hand is finished first,
a second one stops at once, and the trial is done by another worker.`;

export function register(program: Command): void {
  program
    .command('worker')
    .requiredOption(
      '--queue <url>',
      'the redis:// or postgres:// server of the search; env: QUEUE_URL has it',
    )
    .requiredOption('--coordinator <url>', 'the address that the search printed')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => work(context, Options.parse(options)), { awake: true }));
}

async function work(
  context: CommandContext,
  { queue, coordinator }: z.output<typeof Options>,
): Promise<void> {
  const { config, out, log, signal } = context;
  if (!/^https?:\/\/[^/?#]+\/?$/.test(coordinator))
    throw new UsageError(`--coordinator cannot be "${coordinator}": expected http://host:port.`);
  const { trials, ended } = await workForStudy({
    queueUrl: queueUrl(queue),
    coordinator: coordinator.replace(/\/$/, ''),
    token: workerToken(),
    dataDir: config.dataDir,
    registry: await projectRegistry(context),
    rulesFor: (count) => spotRules(config, count, 'worker'),
    acceptImplausible: config.market.acceptImplausible,
    // What is begun is finished; a second signal ends the process.
    signal: new AbortController().signal,
    drain: signal,
    onReady: (about) => out.notice(`Working on study ${about.study}. Ctrl-C finishes the trial in hand.`),
    onTrial: (number, seconds) => {
      out.notice(`trial ${number}: ${duration(seconds)}`);
      log.info({ trial: number, seconds }, 'trial');
    },
    onProblem: (message) => log.warn({ message }, 'job'),
  });
  out.document({ trials, ended });
  out.print(
    ended === 'drained'
      ? `Stopped after ${trials} trials.`
      : `The search gives no answer any more: it has ended. ${trials} trials were measured here.`,
  );
}
