import { describe, expect, it } from 'vitest';
import { createScratchFolder } from './scratch-folder.ts';
import { RunningCommand, vastmax } from './vastmax.ts';

const folder = createScratchFolder();

it.each(['--version', '-V'])('%s prints the version', async (option) => {
  const stdout = expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) as string;
  expect(await vastmax(folder, option)).toMatchObject({ code: 0, stdout, stderr: '' });
});

describe('help', () => {
  it('is what vastmax alone shows', async () => {
    const alone = await vastmax(folder, '');
    expect(alone).toEqual(await vastmax(folder, '--help'));
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    for (const command of [
      'start',
      'train [text]',
      'evaluate <model> [text]',
      'predict <model> [prompt...]',
      'neighbors <model> <words...>',
      'export <model>',
      'inspect <model>',
      'backends',
      'vocab <text>',
      'tokenize <text>',
      'completion <shell>',
    ]) {
      expect(alone.stdout).toContain(`\n  ${command} `);
    }
    expect(alone.stdout).toContain('Exit codes: 0 done, 1 failed, 2 usage error, 130 interrupted');
  });

  it.concurrent.each([
    ['start', [], ['--out', '--max-minutes', '--examples', '--overwrite']],
    [
      'train',
      ['text'],
      [
        '--valid',
        '--out',
        '--resume',
        '--overwrite',
        '--loss',
        '--hidden',
        '--output-rate',
        '--optimizer',
        '--epochs',
        '--checkpoint-every',
        '--letter-case',
        '--initial-vectors',
        '--dry-run',
        '--log',
        '--tensorboard',
        '--config',
        '--print-config-schema',
      ],
    ],
    ['evaluate', ['model', 'text'], ['--limit', '--json']],
    ['predict', ['model', 'prompt'], ['--top', '--threshold', '--continue', '--input', '--batch', '--json']],
    ['neighbors', ['model', 'words'], ['--top', '--vectors', '--json']],
    ['export', ['model'], ['--output', '--format', '--vectors', '--half', '--overwrite', '--json']],
    ['inspect', ['model'], ['--json']],
    ['backends', [], ['--threads', '--json']],
    ['vocab', ['text'], ['--output', '--overwrite', '--tokenizer', '--min-count', '--max-vocabulary']],
    ['tokenize', ['text'], ['--model', '--json', '--tokenizer', '--letter-case', '--text-column']],
    ['completion', ['shell'], ['--help']],
  ])('of %s names its arguments and options and has an example, in 80 columns', async (command, args, options) => {
    const { code, stdout, stderr } = await vastmax(folder, `${command} --help`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: vastmax ${command}`);
    for (const each of [...args, ...options]) expect(stdout).toMatch(new RegExp(`\n  (-\\w, )?${each}\\s`));
    expect(stdout).toMatch(new RegExp(`\nExamples?:\n  \\$ vastmax ${command} `));
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});

describe('a call that is wrong', () => {
  it.concurrent.each([
    ['trian train.txt', "unknown command 'trian'\n(Did you mean train?)"],
    ['train train.txt -o out --epoch 3', "unknown option '--epoch'\n(Did you mean --epochs?)"],
    ['train -o out', "missing required argument 'text'"],
    ['predict model', "missing required argument 'prompt'"],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish'],
    [
      'train train.txt --tokenizer bpe -o out',
      "--tokenizer must be one of whitespace, words, segmenter, or a file whose name ends in .json, got 'bpe'",
    ],
    [
      'train train.txt -o out --locale ja',
      '--locale is an option of --tokenizer segmenter, not of whitespace; leave it out',
    ],
    [
      'train train.txt -o out --lower-case --letter-case upper',
      '--lower-case and --letter-case upper contradict each other',
    ],
    ['train - -o out --valid -', 'the text and --valid are both standard input'],
    ['train train.txt', "required option '-o, --out <folder>' not specified"],
    [
      'train train.txt -o out --loss hinge',
      '--loss must be one of z-loss, spherical-softmax, taylor-softmax, squared-error',
    ],
    ['train train.txt -o out --epochs 1.5', "--epochs must be a whole number of at least 1, got '1.5'"],
    [
      'train train.txt -o out --loss squared-error --z-a 0.1',
      '--z-a is no option of the loss squared-error, which has --target-value',
    ],
  ])('%s exits with 2 and says what would be right', async (args, hint) => {
    const { code, stdout, stderr } = await vastmax(folder, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^vastmax: /);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('    at ');
  });
});

it('ends quietly when nobody reads its output any more', async () => {
  const command = new RunningCommand(['train', '--help'], folder);
  command.closeOutput();
  expect(await command.ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
});
