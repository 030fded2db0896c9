import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { UserError } from '../../core/foundation/errors.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { readTextFile } from '../../data/text-file.ts';
import { withSetting } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { command, type CommandContext } from './command.ts';

const LARGEST_BYTES = 2 ** 20;
const MENDS = { logs: false, readsFile: false };

/** Adds `config set`, `config unset` and `config edit`. */
export function addEditing(group: Command): void {
  group
    .command('set')
    .argument('<setting>')
    .argument('<value>')
    .description('write a setting into the settings file; its comments stay')
    .addHelpText(
      'after',
      "\nExamples:\n  $ crypto-trader config set trading.feeBps 7.5\n  $ crypto-trader config set market.symbols '[BTC/USDT, ETH/USDT]'",
    )
    .action(
      command(async (context, options, path, value) => change(context, options, path, value), {
        logs: false,
      }),
    );
  group
    .command('unset')
    .argument('<setting>')
    .description('take a setting out of the settings file: its default holds again')
    .action(command(async (context, options, path) => change(context, options, path, undefined), MENDS));
  group
    .command('edit')
    .description('open the settings file in $VISUAL or $EDITOR, and check it afterwards')
    .action(command(async (context, options) => edit(context, options), MENDS));
}

const fileOf = (options: Readonly<Record<string, unknown>>): string =>
  typeof options['config'] === 'string' ? options['config'] : 'config.yaml';

/** Writes a setting, or takes it out, where `--config` points, and says what is in force then. */
export async function change(
  { out }: CommandContext,
  options: Readonly<Record<string, unknown>>,
  path: string,
  value: string | undefined,
): Promise<void> {
  const file = fileOf(options);
  const before = readTextFile({ path: file, what: 'the configuration', largestBytes: LARGEST_BYTES }) ?? '';
  const after = withSetting(before, path, value);
  await requireValid(file, after);
  await writeFileAtomic(file, after);
  const { settings } = loadConfig({ file, fileRequired: true, environment: process.env, flags: {} });
  const now = settings.find((setting) => path === setting.path || path.startsWith(`${setting.path}.`));
  out.document({ file, setting: path, value: now?.value, origin: now?.origin });
  out.print(
    value === undefined
      ? `${path} is no longer set in ${file}. In force: ${JSON.stringify(now?.value) ?? '(not set)'}, from ${now?.origin}.`
      : `${path} is ${value} in ${file}.${now?.origin === 'file' ? '' : ` In force is ${JSON.stringify(now?.value)}, from the ${now?.origin}, which wins over the file.`}`,
  );
}

/** The new settings as a whole, before the file is touched: a wrong value leaves no trace. */
async function requireValid(file: string, text: string): Promise<void> {
  const trial = `${file}.check`;
  await writeFileAtomic(trial, text);
  try {
    loadConfig({ file: trial, fileRequired: true, environment: {}, flags: {} });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replaceAll(trial, file), {
      hint: `${file} is as it was. ${error.hint ?? ''}`,
    });
  } finally {
    await rm(trial, { force: true });
  }
}

async function edit({ out }: CommandContext, options: Readonly<Record<string, unknown>>): Promise<void> {
  const file = fileOf(options);
  const editor = process.env['VISUAL'] || process.env['EDITOR'];
  if (!editor)
    throw new UserError('There is no editor to open: neither VISUAL nor EDITOR is set.', {
      hint: `Set one, such as EDITOR=nano, or change single settings: crypto-trader config set <setting> <value>.`,
    });
  const [program, ...args] = editor.split(/\s+/);
  const code = await new Promise<number | null>((resolve, reject) => {
    spawn(program, [...args, file], { stdio: 'inherit' })
      .once('error', reject)
      .once('close', resolve);
  }).catch((error: unknown) => {
    throw new UserError(`The editor "${editor}" cannot be started.`, {
      hint: 'Correct VISUAL or EDITOR.',
      cause: error,
    });
  });
  if (code !== 0)
    throw new UserError(`The editor ended with code ${code}.`, { hint: `${file} is as the editor left it.` });
  loadConfig({ file, fileRequired: false, environment: process.env, flags: {} });
  out.document({ file, valid: true });
  out.print(`${file} is valid.`);
}
