/**
 * `vastmax completion`: scripts for three shells, generated from commander's definitions of the commands and options.
 */
import { Argument, type Command, type Option } from 'commander';

interface CompletedOption {
  /** The names with their dashes. */
  readonly names: readonly string[];
  readonly description: string;
  /** The kind of the value: none, one of several words, a path, or any. */
  readonly value: 'none' | 'path' | 'any' | readonly string[];
}

interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
}

const shellNames = ['bash', 'zsh', 'fish'] as const;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a shell completion script for commands, options and their values')
    .addArgument(new Argument('<shell>', 'which shell').choices(shellNames))
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax completion bash > ~/.local/share/bash-completion/completions/vastmax
  $ vastmax completion zsh > ~/.zfunc/_vastmax      # a folder of $fpath
  $ vastmax completion fish > ~/.config/fish/completions/vastmax.fish`,
    )
    .action((shell: (typeof shellNames)[number]) => {
      process.stdout.write(completionScript(shell, program));
    });
}

function completionScript(shell: (typeof shellNames)[number], program: Command): string {
  const commands = program.commands.map(completedCommand);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program.name(), commands);
}

function completedCommand(command: Command): CompletedCommand {
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(completedOption),
  };
}

function completedOption(option: Option): CompletedOption {
  const takesPath = /<(file|folder)>/.test(option.flags);
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: option.description,
    value:
      option.isBoolean() || !/[<[]/.test(option.flags) ? 'none' : (option.argChoices ?? (takesPath ? 'path' : 'any')),
  };
}

/** With `-o default` bash completes file names when there is no reply. */
function bashScript(name: string, commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap((command) =>
    command.options
      .filter(({ value }) => value !== 'none' && value !== 'path')
      .map(({ names, value }) => {
        const patterns = names.map((each) => `"${command.name} ${each}"`).join('|');
        return `    ${patterns}) ${typeof value === 'string' ? 'compopt +o default' : `COMPREPLY=($(compgen -W "${value.join(' ')}" -- "$current"))`}; return ;;`;
      }),
  );
  const options = commands.map(
    (command) =>
      `    ${command.name}) COMPREPLY=($(compgen -W "${command.options.flatMap(({ names }) => names).join(' ')}" -- "$current")) ;;`,
  );
  return `# bash completion of ${name}
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map((command) => command.name).join(' ')} help --help" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  esac
  case "$current" in -*) ;; *) return ;; esac
  case "\${COMP_WORDS[1]}" in
${options.join('\n')}
  esac
}
complete -o default -F _${name} ${name}
`;
}

function zshScript(name: string, commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const specification = ({ names, description, value }: CompletedOption): string => {
    const explained = `[${description.replaceAll(/[\\[\]:]/g, String.raw`\$&`)}]`;
    const follows =
      value === 'none'
        ? ''
        : value === 'path'
          ? ':file:_files'
          : value === 'any'
            ? ':value: '
            : `:value:(${value.join(' ')})`;
    // The short and the long name exclude each other.
    return names
      .map((each) => quote(`${names.length > 1 ? `(${names.join(' ')})` : ''}${each}${explained}${follows}`))
      .join(' ');
  };
  const cases = commands.map(
    (command) =>
      `    ${command.name}) _arguments ${[...command.options.map(specification), "'*:file:_files'"].join(' \\\n      ')} ;;`,
  );
  return `#compdef ${name}
_${name}() {
  local -a commands
  commands=(
${commands.map((command) => `    ${quote(`${command.name}:${command.description.replaceAll(':', String.raw`\:`)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
${cases.join('\n')}
  esac
}
if [ "\${funcstack[1]}" = _${name} ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fishScript(name: string, commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
  const lines = commands.flatMap((command) => [
    `complete -c ${name} -f -n __fish_use_subcommand -a ${command.name} -d ${quote(command.description)}`,
    ...command.options.map(({ names, description, value }) => {
      const flags = names
        .map((each) => (each.startsWith('--') ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`))
        .join(' ');
      const follows =
        value === 'none' ? '' : value === 'path' ? ' -r' : value === 'any' ? ' -x' : ` -x -a ${quote(value.join(' '))}`;
      return `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}' ${flags}${follows} -d ${quote(description)}`;
    }),
  ]);
  return `# fish completion of ${name}\n${lines.join('\n')}\n`;
}
