import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../../core/foundation/errors.ts';
import { errorCode } from '../../../data/files.ts';
import { USER_FOLDER } from '../../plugins/files.ts';
import { TEMPLATES } from '../../plugins/templates.ts';
import { command, type CommandContext, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';

const KINDS = ['model', 'source'] as const;

export function register(program: Command): void {
  program
    .command('new')
    .argument('<kind>', 'model or source')
    .argument('<name>', 'its id: lower-case letters and digits, dashes in models')
    .description(
      'write a commented file in user/ that works as it is, to start your own model or source from',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ crypto-trader new model my-model\n  $ crypto-trader plugin check user/my-model.ts --trust\n  $ crypto-trader train --models my-model',
    )
    .action(command(async (context, _options, kind, name) => start(context, kind, name), { logs: false }));
}

async function start({ out }: CommandContext, kind: string, name: string): Promise<void> {
  const known = oneOf('<kind>', kind, KINDS);
  const pattern = known === 'model' ? /^[a-z][a-z0-9-]{0,39}$/ : /^[a-z][a-z0-9]{0,39}$/;
  if (!pattern.test(name)) {
    const dashes = known === 'model' ? ', digits and dashes' : ' and digits';
    throw new UsageError(`<name> cannot be "${name}": up to 40 lower-case letters${dashes}, a letter first.`);
  }
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
