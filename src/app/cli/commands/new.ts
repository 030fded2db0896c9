import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../../core/foundation/errors.ts';
import { errorCode } from '../../../data/files.ts';
import { USER_FOLDER } from '../../plugins/files.ts';
import { TEMPLATES } from '../../plugins/templates.ts';
import { command, type CommandContext, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';

const dashed = { pattern: /^[a-z][a-z0-9-]{0,39}$/, of: 'lower-case letters, digits and dashes' };
/** What can be begun, and what its name may be made of. */
const NAMES = {
  model: dashed,
  strategy: dashed,
  feature: { pattern: /^[a-z][a-z0-9_]{0,39}$/, of: 'lower-case letters, digits and underscores' },
  notifier: dashed,
  source: { pattern: /^[a-z][a-z0-9]{0,39}$/, of: 'lower-case letters and digits' },
} as const;
const KINDS = ['model', 'strategy', 'feature', 'notifier', 'source'] as const;

export function register(program: Command): void {
  program
    .command('new')
    .argument('<kind>', KINDS.join(', '))
    .argument('<name>', 'what it will be called: lower-case letters and digits, a letter first')
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader new model my-model\n  $ crypto-trader plugin check user/my-model.ts --trust\n  $ crypto-trader train --models my-model\n  $ crypto-trader new strategy my-rule\n  $ crypto-trader new feature my_feature',
    )
    .action(command(async (context, _options, kind, name) => start(context, kind, name), { logs: false }));
}

async function start({ out }: CommandContext, kind: string, name: string): Promise<void> {
  const known = oneOf('<kind>', kind, KINDS);
  const { pattern, of } = NAMES[known];
  if (!pattern.test(name))
    throw new UsageError(`<name> cannot be "${name}": up to 40 ${of}, a letter first.`);
  const file = join(USER_FOLDER, `${name}.ts`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, TEMPLATES[known](name), { flag: 'wx' }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
    throw new UserError(`"${file}" is there already.`, {
      hint: 'Choose another name, or move that file away.',
    });
  });
  out.document({ kind: known, id: name, file });
  out.print(`Wrote ${file}. Read it, change it, then:\n  crypto-trader plugin check ${file} --trust`);
}
