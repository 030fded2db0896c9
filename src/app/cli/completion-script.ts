import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

interface Node {
  /** Words before it, such as `models show`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly { readonly name: string; readonly text: string; readonly takesValue: boolean }[];
}

/** A completion script for the shell, from the commands and options as they are declared. */
export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program);
  if (shell === 'fish') return fish(nodes);
  return shell === 'bash' ? bash(nodes) : zsh(nodes);
}

function nodesOf(program: Command): readonly Node[] {
  const inherited = program.options;
  const walk = (command: Command, path: string): readonly Node[] => {
    const subcommands = command.commands.filter((one) => one.name() !== 'help');
    // A group takes the options of the subcommand that it runs when none is named.
    const own =
      command === program ? [] : [...command.options, ...subcommands.flatMap(({ options }) => options)];
    return [
      {
        path,
        commands: subcommands.map((one) => ({ name: one.name(), text: one.description() })),
        options: [...new Map([...own, ...inherited].map((option) => [option.long, option])).values()]
          .filter((option) => option.long && !option.hidden)
          .map((option) => ({
            name: option.long ?? '',
            text: option.description,
            takesValue: option.required,
          })),
      },
      ...subcommands.flatMap((one) => walk(one, `${path} ${one.name()}`.trim())),
    ];
  };
  return walk(program, '');
}

/** Both shells: the words so far that are commands decide what comes next. Option values are files. */
function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const words = [...commands.map(({ name }) => name), ...options.map(({ name }) => name)].join(' ');
    return `    ${quoted(path)}) words=${quoted(words)} ;;`;
  });
  return `# Completion of crypto-trader for bash.
_crypto_trader() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  local known=${quoted(`|${nodes.map(({ path }) => path).join('|')}|`)}
  local values=${quoted(` ${valueOptions(nodes).join(' ')} `)}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    local next="\${path:+$path }$word"
    case "$known" in *"|$next|"*) path="$next" ;; esac
  done
  case "$values" in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _crypto_trader crypto-trader
`;
}

function zsh(nodes: readonly Node[]): string {
  const described = ({ name, text }: { readonly name: string; readonly text: string }): string =>
    quoted(`${name}:${text.replaceAll(':', '\\:')}`);
  const cases = nodes.map(
    ({ path, commands, options }) =>
      `    ${quoted(path)}) words_here=(${[...commands, ...options].map(described).join(' ')}) ;;`,
  );
  return `#compdef crypto-trader
# Completion of crypto-trader for zsh.
_crypto_trader() {
  local path="" word
  local -a words_here
  local known=${quoted(`|${nodes.map(({ path }) => path).join('|')}|`)}
  local values=${quoted(` ${valueOptions(nodes).join(' ')} `)}
  for word in "\${(@)words[2,CURRENT-1]}"; do
    local next="\${path:+$path }$word"
    [[ "$known" == *"|$next|"* ]] && path="$next"
  done
  if [[ "$values" == *" \${words[CURRENT-1]} "* ]]; then _files; return; fi
  case "$path" in
${cases.join('\n')}
  esac
  _describe 'crypto-trader' words_here
}
compdef _crypto_trader crypto-trader
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const words = path === '' ? [] : path.split(' ');
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const here =
      commands.length === 0
        ? seen
        : [...seen, `not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`];
    const when = here.length === 0 ? '' : ` -n ${quoted(here.join('; and '))}`;
    return [
      ...commands.map(
        ({ name, text }) => `complete -c crypto-trader -f${when} -a ${name} -d ${quoted(text)}`,
      ),
      ...options.map(
        ({ name, text, takesValue }) =>
          `complete -c crypto-trader${takesValue ? ' -r' : ' -f'}${when} -l ${name.slice(2)} -d ${quoted(text)}`,
      ),
    ];
  });
  return `# Completion of crypto-trader for fish.\n${[...new Set(lines)].join('\n')}\n`;
}

const valueOptions = (nodes: readonly Node[]): readonly string[] => [
  ...new Set(
    nodes.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue).map(({ name }) => name)),
  ),
];

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
