import type { Command } from 'commander';
import { nearest } from '../../core/foundation/nearest.ts';

/** The subcommand that a group runs when none is named; another word is an unknown subcommand, not its argument. */
export function defaultSubcommand(group: Command, name: string): Command {
  return group
    .command(name, { isDefault: true })
    .allowExcessArguments()
    .hook('preAction', (self) => {
      const [word] = self.args;
      if (word === undefined) return;
      const best = nearest(
        word,
        group.commands.map((command) => command.name()),
      );
      self.error(
        `error: unknown command '${group.name()} ${word}'${best === undefined ? '' : `\n(Did you mean ${best}?)`}`,
        { code: 'commander.unknownCommand' },
      );
    });
}
