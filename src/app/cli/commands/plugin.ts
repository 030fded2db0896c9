import type { Command } from 'commander';
import { checkModel } from '../../../lab/contracts/check-model.ts';
import { checkFeature } from '../../../lab/contracts/check-feature.ts';
import { checkStrategy } from '../../../lab/contracts/check-strategy.ts';
import { checkNotifier } from '../../../lab/contracts/check-notifier.ts';
import { checkSource } from '../../../lab/contracts/check-source.ts';
import type { Verdict } from '../../../lab/contracts/verdict.ts';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { idOf } from '../../plugins/load.ts';
import type { OwnChannel } from '../../../desk/notify/channel.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import type { Plugin } from '../../plugins/evaluate.ts';
import { command, type CommandContext } from '../command.ts';
import { projectPlugins } from '../project-plugins.ts';
import { defaultSubcommand } from '../subcommands.ts';
import { less, prose } from '../table.ts';

const EXAMPLES = `
Examples:
  $ crypto-trader new model my-model      writes user/my-model.ts
  $ crypto-trader plugin check user/my-model.ts --trust
  $ crypto-trader plugin list

A plug-in is code that runs with your rights: it can read every file you can, .env included.`;

export function register(program: Command): void {
  const group = program.command('plugin').addHelpText('after', EXAMPLES);

  defaultSubcommand(group, 'list')
    .description('every file in user/ and in `plugins` of config.yaml, with what it brings')
    .action(command(async (context) => listPlugins(context), { logs: false }));

  group
    .command('check')
    .argument('<file>', 'a file in user/, or one that `plugins` in config.yaml names')
    .description(
      'try every law on a plug-in: no look ahead, same bits again, what it states within its limits',
    )
    .action(command(async (context, _options, file) => checkPlugin(context, file), { logs: false }));
}

async function listPlugins(context: CommandContext): Promise<void> {
  const { out } = context;
  const { files } = await projectPlugins(context);
  out.document({
    plugins: files.map((file) =>
      file.kind === 'loaded'
        ? { path: file.path, sha256: file.sha256, kind: file.plugin.kind, id: idOf(file.plugin) }
        : { path: file.path, failure: file.reason },
    ),
  });
  if (files.length === 0)
    return out.print('No code of your own yet: crypto-trader new model my-model writes the first file.');
  out.table(
    ['file', 'kind', prose('id'), less('SHA-256')],
    files.map((file) =>
      file.kind === 'loaded'
        ? [file.path, file.plugin.kind, idOf(file.plugin), file.sha256.slice(0, 12)]
        : [file.path, 'FAILED', file.reason, ''],
    ),
  );
}

async function checkPlugin(context: CommandContext, path: string): Promise<void> {
  const { out, signal } = context;
  const { files, registry, channels } = await projectPlugins(context, [...context.config.plugins, path]);
  const wanted = path.replace(/^[.][/]/, '');
  const file = files.find((one) => one.path === wanted) ?? files.at(-1);
  if (file?.kind !== 'loaded') {
    throw new UserError(`The plug-in "${path}" cannot be loaded: ${file?.reason ?? 'it is not there.'}`, {
      hint: 'crypto-trader new model my-model writes a file that can.',
    });
  }
  const verdicts: Verdict[] = [];
  for await (const verdict of lawsOf(file.plugin, { registry, channels, signal })) {
    verdicts.push(verdict);
    out.print(
      verdict.kind === 'kept'
        ? `kept    ${verdict.law}`
        : `BROKEN  ${verdict.law}\n        ${verdict.reason}`,
    );
  }
  const broken = verdicts.filter(({ kind }) => kind === 'broken');
  const { path: found, sha256 } = file;
  out.document({ path: found, sha256, kind: file.plugin.kind, id: idOf(file.plugin), laws: verdicts });
  out.print(
    `\n${verdicts.length - broken.length} of ${verdicts.length} laws kept by "${idOf(file.plugin)}".`,
  );
  if (broken.length > 0) throw new CheckFailed(`"${idOf(file.plugin)}" breaks ${broken.length} laws.`);
}

function lawsOf(
  plugin: Plugin,
  {
    registry: { features },
    channels,
    signal,
  }: {
    readonly registry: Registry;
    readonly channels: readonly OwnChannel[];
    readonly signal: AbortSignal;
  },
): AsyncIterable<Verdict> {
  switch (plugin.kind) {
    case 'model':
      return checkModel(plugin.model, { signal, features });
    case 'strategy':
      return checkStrategy(plugin.strategy, { signal });
    case 'feature':
      return checkFeature(plugin.feature, { signal });
    case 'notifier': {
      const channel = channels.find(({ id }) => id === plugin.notifier.id);
      if (channel !== undefined) return checkNotifier(channel.messenger, { ...channel, signal });
      throw new UserError(`The notifier "${plugin.notifier.id}" cannot be opened.`, {
        hint: 'Give it valid parameters first.',
      });
    }
    case 'source':
      return checkSource(plugin.source.open(), plugin.source.example, { signal });
  }
}
