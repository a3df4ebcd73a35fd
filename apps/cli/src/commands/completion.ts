import { Argument, type Command } from 'commander';
import { completionScript, shellNames } from '../completion-scripts.ts';

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script with which a shell completes commands, options and their values')
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
