import type { Command } from 'commander';
import { nearest } from '../../core/foundation/nearest.ts';

/** The subcommand that a group runs when none is named. */
export const defaultSubcommand = (group: Command, name: string): Command =>
  group.command(name, { isDefault: true });

/**
 * Ends the program with a wrong command line when words are left over that `asked` takes no arguments for. Of a group they
 * are an unknown subcommand.
 */
export function refuseExcess(asked: Command): void {
  const takes = asked.registeredArguments;
  const word = asked.args[takes.length];
  if (word === undefined || takes.at(-1)?.variadic === true) return;
  const group = groupOf(asked);
  if (group !== undefined) {
    const best = nearest(
      word,
      group.commands.map((command) => command.name()),
    );
    asked.error(
      `error: unknown command '${group.name()} ${word}'${best === undefined ? '' : `\n(Did you mean ${best}?)`}`,
      { code: 'commander.unknownCommand' },
    );
  }
  const most =
    takes.length === 0 ? 'no arguments' : `${takes.map((one) => `<${one.name()}>`).join(' ')} and no more`;
  asked.error(
    `error: '${fullName(asked)}' takes ${most}, and got '${word}'${takes.length === 0 ? '; options are given by name' : ''}`,
    { code: 'commander.excessArguments' },
  );
}

/** The group whose subcommand a word behind `asked` would be: itself, or that whose default it is. */
function groupOf(asked: Command): Command | undefined {
  if (asked.commands.length > 0) return asked;
  const { parent } = asked;
  // The program itself is a group too, and has no default.
  if (!parent?.parent) return undefined;
  return parent.args.includes(asked.name()) ? undefined : parent;
}

const fullName = (command: Command): string => {
  const above = command.parent;
  return above?.parent ? `${fullName(above)} ${command.name()}` : command.name();
};
