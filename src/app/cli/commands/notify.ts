import type { Command } from 'commander';
import { UserError } from '../../../core/foundation/errors.ts';
import { createNotifier, NOTIFIER_DEFAULTS } from '../../../desk/notify/notifier.ts';
import { command, type CommandContext } from '../command.ts';
import { channelName } from '../../../desk/notify/channel.ts';
import { CHANNEL_VARIABLES, channelsFrom } from '../notices.ts';
import { prose } from '../table.ts';
import { projectPlugins } from '../project-plugins.ts';

export function register(program: Command): void {
  program
    .command('notify')
    .command('test')
    .description('send one message to every channel and say which took it')
    .addHelpText(
      'after',
      `\nA channel is on when its variable is set in the environment or in .env:\n  ${CHANNEL_VARIABLES.join('\n  ')} (the token with NOTIFY_TELEGRAM_CHAT_ID, mail with NOTIFY_MAIL_TO, NOTIFY_BELL=on)\nWhat is told is set in the notify section of config.yaml.`,
    )
    .action(command(async (context) => test(context)));
}

/** Each channel by itself, once, so that what it answers can be told. */
async function test(context: CommandContext): Promise<void> {
  const { out, signal } = context;
  const ours = channelsFrom(process.env);
  const channels = [...ours, ...(await projectPlugins(context)).channels];
  if (channels.length === 0)
    throw new UserError('No notification channel is set.', {
      hint: `Set one in the environment or in .env: ${CHANNEL_VARIABLES.join(', ')}. Or write your own: crypto-trader new notifier my-notifier.`,
    });
  const results: { channel: string; delivered: boolean; reason: string | undefined }[] = [];
  for (const channel of channels) {
    signal.throwIfAborted();
    let reason: string | undefined;
    const note = (_: object, message: string): void => void (reason = message);
    const log = { debug: note, info: note, warn: note, error: note };
    const notifier = createNotifier([channel], {
      ...NOTIFIER_DEFAULTS,
      title: 'crypto-trader',
      log,
      batchMs: 0,
      attempts: 1,
    });
    notifier.notify({ text: 'This is a test: notifications arrive here.', silent: false });
    await notifier.close(2 * NOTIFIER_DEFAULTS.requestTimeoutMs);
    results.push({ channel: channelName(channel), delivered: reason === undefined, reason });
  }
  out.document({ channels: results });
  out.table(
    ['channel', 'delivered', prose('why not')],
    results.map(({ channel, delivered, reason = '' }) => [channel, delivered ? 'yes' : 'no', reason]),
  );
  const failed = results.filter(({ delivered }) => !delivered);
  if (failed.length > 0)
    throw new UserError(`Not delivered: ${failed.map(({ channel }) => channel).join(', ')}.`, {
      hint: 'Check the address or token of that channel, and the network.',
    });
}
