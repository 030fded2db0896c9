import type { Command } from 'commander';
import { command, oneOf } from '../command.ts';
import { completionScript, SHELLS } from '../completion-script.ts';

const EXAMPLES = `
Examples:
  $ source <(crypto-trader completion bash)                    in ~/.bashrc
  $ crypto-trader completion zsh > "\${fpath[1]}/_crypto-trader"
  $ crypto-trader completion fish > ~/.config/fish/completions/crypto-trader.fish`;

export function register(program: Command, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .argument('<shell>', SHELLS.join(', '))
    .addHelpText('after', EXAMPLES)
    .action(
      command(
        async ({ out }, _options, shell) => {
          const script = completionScript(oneOf('<shell>', shell, SHELLS), await whole());
          out.document({ shell, script });
          out.frame(script);
        },
        { logs: false },
      ),
    );
}
