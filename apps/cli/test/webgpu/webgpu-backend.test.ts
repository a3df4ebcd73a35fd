/** The command on a GPU in software, inside this process: a child process would not find its driver. */
import { join } from 'node:path';
import { loadSoftwareGpu } from '@vastmax/software-gpu';
import { Command } from 'commander';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { addPredictCommand } from '../../src/commands/predict.ts';
import { addTrainCommand } from '../../src/commands/train.ts';
import { createBackend, createTrainingBackend, describeBackend } from '../../src/options/backend-choice.ts';
import { UsageError } from '../../src/terminal/errors.ts';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';

const folder = createScratchFolder();

beforeAll(loadSoftwareGpu);

async function output(...args: readonly string[]): Promise<string> {
  const program = new Command().exitOverride();
  addTrainCommand(program);
  addPredictCommand(program);
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const progress = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    await program.parseAsync(args, { from: 'user' });
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
    progress.mockRestore();
  }
}

describe('--backend webgpu', () => {
  it('trains, and the model predicts on the GPU as on the CPU', async () => {
    const model = join(folder, 'on-gpu');
    const text = join(folder, 'train.txt');
    const sizes = [...toyModel.split(' '), '--examples', '128', '--rates', 'default', '--output-layer', 'factored'];
    const plan = await output('train', text, '-o', model, ...sizes, '--backend', 'webgpu');
    expect(plan).toMatch(/^backend +webgpu f32, SwiftShader.*a GPU in software/m);
    expect(plan).toContain('trained      128 examples');
    const predict = (backend: string): Promise<string> =>
      output('predict', model, 'the', 'cat', '--json', '--backend', backend);
    const words = (json: string): unknown =>
      (JSON.parse(json) as { next: { word: string }[] }).next.map(({ word }) => word);
    expect(words(await predict('webgpu'))).toEqual(words(await predict('plain')));
  });

  it('is refused for f64', async () => {
    await expect(createBackend('webgpu', 'f64')).rejects.toThrow(
      new UsageError(
        '--backend webgpu is not available: it stores f32 only, --precision is f64; or use --backend auto',
      ),
    );
  });
});

describe('--backend auto', () => {
  it('does not take a GPU in software', async () => {
    const { backend, name } = await createTrainingBackend('auto', 'f32');
    await backend.dispose();
    expect(name).toBe('auto');
    expect(describeBackend(backend)).not.toContain('webgpu');
  });
});
