/** The bash script is asked as bash would; the others are checked for what they must hold. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

async function scriptOf(shell: string): Promise<string> {
  const { code, stdout, stderr } = await vastmax(folder, `completion ${shell}`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe('completion', () => {
  it('of bash completes commands, options and their values, and leaves files to the shell', async () => {
    writeFileSync(join(folder, 'completion.bash'), await scriptOf('bash'));
    // compopt works within a completion only; what it asks for is not looked at here.
    const complete = (...words: string[]): string[] =>
      execFileSync(
        'bash',
        [
          '-c',
          'compopt() { :; }; source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vastmax; echo "${COMPREPLY[*]}"',
          'bash',
          ...words,
        ],
        { cwd: folder, encoding: 'utf8' },
      )
        .trim()
        .split(' ');
    expect(complete('vastmax', 't')).toEqual(['train', 'tokenize']);
    expect(complete('vastmax', 'train', 'text', '--opt')).toEqual(['--optimizer']);
    expect(complete('vastmax', 'train', '--optimizer', 'ad')).toEqual(['adagrad', 'adam']);
    expect(complete('vastmax', 'export', 'model', '-o', 'ab')).toEqual(['']);
    expect(complete('vastmax', 'train', '--epochs', '')).toEqual(['']);
    expect(complete('vastmax', 'train', 'tex')).toEqual(['']);
    expect(complete('vastmax', 'predict', 'model', '-')).toEqual(
      expect.arrayContaining(['-k', '--top', '--input', '--help']),
    );
  });

  it('of zsh and fish has every option with its values', async () => {
    const zsh = await scriptOf('zsh');
    expect(zsh).toMatch(/^#compdef vastmax\n/);
    expect(zsh).toContain(String.raw`'--precision[of stored numbers]:value:(f32 f64)'`);
    expect(zsh).toContain(String.raw`a target'\''s output`);
    expect(zsh).toContain("'(-o --out)-o[where the model and its checkpoints go]:file:_files'");
    const fish = await scriptOf('fish');
    expect(fish).toContain(
      "complete -c vastmax -n '__fish_seen_subcommand_from train' -l precision -x -a 'f32 f64' -d 'of stored numbers'\n",
    );
    expect(fish).toContain(
      "complete -c vastmax -f -n __fish_use_subcommand -a tokenize -d 'print the words of a text, a line for each of its lines'\n",
    );
    expect(fish).toContain(String.raw`a target\'s output`);
  });
});
