/**
 * fastText's own command on the same lines. It prints no times of its parts, so they are taken from when its output
 * comes: the numbers of words and labels after its first reading of the file, the last progress line at the end of
 * training, before it writes the model. Its memory is looked up in /proc while it runs.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BenchError } from '../../measurement/bench-error.ts';
import type { LayerOutcome } from './train-layer.ts';

export const fasttextLosses = ['hs', 'ns'] as const;
export type FasttextLoss = (typeof fasttextLosses)[number];

export interface FasttextRequest {
  readonly loss: FasttextLoss;
  readonly trainFile: string;
  readonly testFile: string;
  /** The model is written to this path and `.bin`, `.vec`. */
  readonly modelPath: string;
  readonly embedding: number;
  readonly epochs: number;
  readonly threads: number;
}

/** fastText's default for `supervised`. */
const learningRate = 0.1;

export async function hasFasttext(): Promise<boolean> {
  try {
    // Without arguments it prints its usage and ends with 1.
    await run([], () => undefined);
    return true;
  } catch {
    return false;
  }
}

/** @throws BenchError `failed` when it ends with an error. */
export async function trainFasttext(request: FasttextRequest): Promise<LayerOutcome> {
  const { loss, trainFile, testFile, modelPath, embedding, epochs, threads } = request;
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  let readSeconds = 0;
  let trainSeconds = 0;
  const options = { input: trainFile, output: modelPath, dim: embedding, epoch: epochs, loss, thread: threads };
  const given = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const trained = await run(['supervised', ...given, '-lr', String(learningRate)], (text) => {
    if (readSeconds === 0 && text.includes('Number of labels')) readSeconds = seconds();
    // It prints its progress again and again; the last time counts.
    if (text.includes('Progress: 100.0%')) trainSeconds = seconds();
  });
  if (trained.code !== 0 || trainSeconds === 0)
    throw new BenchError('failed', `fasttext supervised ended with ${trained.code}: ${trained.stderr.slice(-500)}`);
  const { stdout } = await run(['predict', `${modelPath}.bin`, testFile, '5'], () => undefined);
  return {
    readSeconds,
    trainSeconds,
    ...precisionOf(stdout, testFile),
    peakMiB: trained.peakBytes / 2 ** 20,
    rates: { output: learningRate, body: learningRate, optimizer: 'sgd' },
  };
}

/** @param predicted the five best labels of each line. */
export function precisionOf(predicted: string, testFile: string): Pick<LayerOutcome, 'precisionAt1' | 'precisionAt5'> {
  const lines = readFileSync(testFile, 'utf8').trimEnd().split('\n');
  const best = predicted.trimEnd().split('\n');
  let first = 0;
  let among = 0;
  for (const [line, text] of lines.entries()) {
    const right = text.slice(0, text.indexOf(' '));
    const labels = best[line]?.split(' ') ?? [];
    if (labels[0] === right) first++;
    if (labels.includes(right)) among++;
  }
  return { precisionAt1: first / lines.length, precisionAt5: among / (5 * lines.length) };
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly peakBytes: number;
}

function run(args: readonly string[], onText: (text: string) => void): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn('fasttext', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid));
    }, 20);
    const take = (text: string): string => {
      onText(text);
      return text;
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += take(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += take(text);
    });
    child.on('error', (error) => {
      clearInterval(watch);
      fail(error);
    });
    child.on('close', (code) => {
      clearInterval(watch);
      done({ code, stdout, stderr, peakBytes });
    });
  });
}

/** VmHWM of a process in bytes; 0 where there is no such file. */
function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
