import { createInterface } from 'node:readline/promises';
import { suggest } from '../../core/foundation/nearest.ts';
import type { Registry } from '../../learning/models/registry.ts';
import type { OwnChannel } from '../../desk/notify/channel.ts';
import type { SourcePlugin } from '../plugins/define.ts';
import { openNotifiers } from '../plugins/own-channels.ts';
import { loadPlugins, type ProjectPlugins } from '../plugins/load.ts';
import type { PluginSource } from '../plugins/files.ts';
import type { CommandContext } from './command.ts';

type Context = Pick<CommandContext, 'config' | 'out' | 'signal' | 'trust'>;

/** The plug-ins of the project in the working folder, and `named`; what is left out is said on stderr. */
export async function projectPlugins(
  { config, out, signal, trust }: Context,
  named: readonly string[] = config.plugins,
): Promise<ProjectPlugins & { readonly channels: readonly OwnChannel[] }> {
  // Loading takes tokens out of the environment.
  const environment = { ...process.env };
  const plugins = await loadPlugins({
    project: process.cwd(),
    named,
    featureParameters: config.ownFeatures,
    withoutDeep: !config.deepLearning.enabled,
    consent: {
      trustAll: trust,
      ask: process.stdin.isTTY && process.stderr.isTTY ? (files) => agree(files, signal) : undefined,
    },
    library: async (code) => ({
      'crypto-trader': await import('../index.ts'),
      ...(code.includes('crypto-trader/networks') && {
        'crypto-trader/networks': await import('../networks.ts'),
      }),
      ...(code.includes('crypto-trader/testing') && {
        'crypto-trader/testing': await import('../../lab/contracts/index.ts'),
      }),
    }),
  });
  for (const file of plugins.files)
    if (file.kind === 'failed') out.notice(`The plug-in "${file.path}" is left out: ${file.reason}`);
  for (const note of plugins.notes) out.notice(note);
  const opened = openNotifiers(plugins.notifiers, config.notifiers, environment);
  for (const one of opened)
    if (one.kind === 'closed') out.notice(`The notifier "${one.id}" is left out: ${one.reason}`);
  return { ...plugins, channels: opened.flatMap((one) => (one.kind === 'open' ? [one.channel] : [])) };
}

/** Models, features and strategies of the project: ours, and those of its plug-ins; networks run where the settings say. */
export async function projectRegistry(context: Context): Promise<Registry> {
  const { registry } = await projectPlugins(context);
  const { enabled, device, precision } = context.config.deepLearning;
  if (enabled && device !== 'auto') {
    const { useDevice } = await import('../../learning/engine/use-device.ts');
    const refused = await useDevice(device === 'mps' ? 'coreml' : device);
    if (refused !== undefined) context.out.notice(`Networks run on the processor. ${refused}`);
  }
  if (enabled && precision !== 'float32') {
    const { setDefaultPrecision } = await import('../../learning/engine/devices.ts');
    setDefaultPrecision(async () => {
      const { whyNotHalf } = await import('../../learning/engine/use-precision.ts');
      const refused = await whyNotHalf(precision);
      if (refused === undefined) return precision;
      context.out.notice(`Networks are trained in single precision. ${refused}`);
      return 'float32';
    });
  }
  const known = [...registry.models.map(({ id }) => id), ...registry.switchedOff];
  for (const id of Object.keys(context.config.models)) {
    if (known.includes(id)) continue;
    context.out.notice(`models.${id} has no effect: there is no such model. ${suggest(id, known)}`);
  }
  return registry;
}

/** The source of the user's own that `--source` names; `undefined` when that is one of ours or nobody's. */
export async function ownSource(
  context: CommandContext,
  name: string | undefined,
  ours: readonly string[],
): Promise<SourcePlugin | undefined> {
  if (name === undefined || ours.includes(name)) return undefined;
  return (await projectPlugins(context)).sources.find(({ id }) => id === name);
}

async function agree(files: readonly PluginSource[], signal: AbortSignal): Promise<boolean> {
  const shown = files
    .map(
      ({ path, sha256, imports }) =>
        `  ${path}${imports.length === 0 ? '' : `, with ${imports.join(', ')}`}\n    SHA-256 ${sha256}`,
    )
    .join('\n');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(
      `This project has code of its own that nobody has agreed to run yet:\n${shown}\nIt runs with your rights and can read every file you can, .env included. Run it from now on? [y/N] `,
      { signal },
    );
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
