import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateCsrRows } from '../../src/csr/csr-rows.ts';
import { subsampleTokens } from '../../src/text/subsample-tokens.ts';
import { WindowBatches, type WindowBatchesOptions } from '../../src/batches/window-batches.ts';
import { listsOf, rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

interface Example {
  readonly centre: number;
  readonly context: readonly number[];
}

/** The naive twin: each position's context, segment by segment. */
function windows(tokens: readonly number[], segments: readonly number[], before: number, after: number): Example[] {
  const examples: Example[] = [];
  for (let segment = 0; segment + 1 < segments.length; segment++) {
    const text = tokens.slice(segments[segment], segments[segment + 1]);
    for (const [place, centre] of text.entries()) {
      const context = [...text.slice(Math.max(0, place - before), place), ...text.slice(place + 1, place + 1 + after)];
      if (context.length > 0) examples.push({ centre, context });
    }
  }
  return examples;
}

const texts = fc.array(fc.array(fc.nat(9), { maxLength: 9 }), { minLength: 1, maxLength: 6 }).map((parts) => ({
  tokens: parts.flat(),
  segments: parts.reduce((all, part) => [...all, all[all.length - 1]! + part.length], [0]),
}));

function examplesOf(batches: WindowBatches, predict: 'centre' | 'context'): Example[] {
  const examples: Example[] = [];
  for (;;) {
    const batch = batches.next();
    validateCsrRows(batch.inputs);
    validateCsrRows(batch.targets);
    const [words, bags] = predict === 'centre' ? [batch.targets, batch.inputs] : [batch.inputs, batch.targets];
    const contexts = listsOf(bags);
    examples.push(...listsOf(words).map(([centre = -1], row) => ({ centre, context: contexts[row]! })));
    if (predict === 'centre') expect(batch.targetIds).toEqual(words.indices);
    else for (const row of rowsOf(bags)) expect(row.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1, 12);
    if (batch.endOfEpoch) return examples;
  }
}

describe('WindowBatches', () => {
  it('gives each token that has a context once an epoch, with all of it', () => {
    const reach = fc.tuple(fc.nat(3), fc.nat(3)).filter(([before, after]) => before + after > 0);
    fc.assert(
      fc.property(
        texts,
        reach,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        fc.constantFrom('centre', 'context'),
        ({ tokens, segments }, [before, after], batchSize, shuffle, predict) => {
          const expected = windows(tokens, segments, before, after);
          fc.pre(expected.length > 0);
          const batches = new WindowBatches({
            tokens: Int32Array.from(tokens),
            classes: 10,
            segments: Int32Array.from(segments),
            before,
            after,
            predict,
            batchSize,
            shuffle,
          });
          expect(batches.examplesPerEpoch).toBe(expected.length);
          const seen = examplesOf(batches, predict);
          const sorted = (examples: readonly Example[]): string[] =>
            examples.map((example) => JSON.stringify(example)).sort();
          if (shuffle) expect(sorted(seen)).toEqual(sorted(expected));
          else expect(seen).toEqual(expected);
        },
      ),
    );
  });

  const tokens = Int32Array.from({ length: 2000 }, (_, i) => i);
  const plain: WindowBatchesOptions = {
    tokens,
    classes: 2000,
    before: 4,
    after: 4,
    predict: 'centre',
    batchSize: 2000,
    shuffle: false,
    drawReach: true,
  };

  it('draws reaches evenly from 1 to the widest, anew in each epoch', () => {
    const batches = new WindowBatches(plain);
    const reaches = (): number[] =>
      listsOf(batches.next().inputs)
        .slice(4, -4)
        .map((context) => context.length / 2);
    const [first, second] = [reaches(), reaches()];
    for (const reach of [1, 2, 3, 4])
      expect(Math.abs(first.filter((other) => other === reach).length - 498)).toBeLessThan(80);
    expect(first).not.toEqual(second);
  });

  it('resumes from a cursor exactly', () => {
    const options = { ...plain, batchSize: 300, shuffle: true };
    const batches = new WindowBatches(options);
    for (let i = 0; i < 9; i++) batches.next();
    const cursor = JSON.parse(JSON.stringify(batches.cursor())) as unknown;
    const rest = (from: WindowBatches): unknown[] =>
      Array.from({ length: 8 }, () => {
        const { inputs, targets, epoch } = from.next();
        return [listsOf(inputs), listsOf(targets), epoch];
      });
    const resumed = new WindowBatches({ ...options, seed: 3 });
    resumed.seek(cursor);
    expect(rest(resumed)).toEqual(rest(batches));
  });

  it.each<[string, Partial<WindowBatchesOptions>, string]>([
    [
      'no reach at all',
      { before: 0, after: 0 },
      'bad-option: WindowBatches: after is 0; an integer in 1..65536 is needed',
    ],
    [
      'a token that is no class',
      { classes: 1000 },
      'index-out-of-range: WindowBatches: the token at position 1000 is 1000, but there are 1000 classes',
    ],
    ['a text of one token', { tokens: Int32Array.of(1) }, 'empty-input: WindowBatches: there are no examples'],
    [
      'segments that end early',
      { segments: Int32Array.of(0, 5) },
      'shape: WindowBatches: segments ends at 5, but there are 2000 tokens',
    ],
    ['segments that begin late', { segments: Int32Array.of(1, 2000) }, 'segments starts at 1'],
    ['segments that fall', { segments: Int32Array.of(0, 9, 8, 2000) }, 'segments falls from 9 to 8 at 2'],
    ['no segments', { segments: Int32Array.of(0) }, 'segments has 1 boundaries'],
    ['another goal', { predict: 'word' as 'centre' }, 'predict is "word"; centre or context is needed'],
  ])('rejects %s', async (_, change, message) => {
    expect(await thrownBy(() => new WindowBatches({ ...plain, ...change }))).toContain(message);
  });
});

describe('subsampleTokens', () => {
  it('thins out frequent words to the documented probability and keeps rare ones', () => {
    const counts = [90_000, 9_990, 10];
    const tokens = Int32Array.from({ length: 100_000 }, (_, i) => (i % 10_000 === 0 ? 2 : i % 10 === 1 ? 1 : 0));
    const kept = subsampleTokens(tokens, counts, { threshold: 0.01, seed: 1 });
    const shareOf = (word: number): number =>
      kept.filter((token) => token === word).length / tokens.filter((token) => token === word).length;
    expect(shareOf(0)).toBeCloseTo(Math.sqrt(0.01 / 0.9) + 0.01 / 0.9, 2);
    expect(shareOf(1)).toBeCloseTo(Math.sqrt(0.01 / 0.0999) + 0.01 / 0.0999, 1);
    expect(shareOf(2)).toBe(1);
    expect(subsampleTokens(tokens, counts, { threshold: 0.01, seed: 1 })).toEqual(kept);
    expect(subsampleTokens(tokens, counts, { threshold: 0.01, seed: 2 })).not.toEqual(kept);
  });

  it('rejects a threshold that is no share', async () => {
    expect(await thrownBy(() => subsampleTokens(Int32Array.of(1), [1, 1], { threshold: 0 }))).toContain(
      'bad-option: subsampleTokens: threshold is 0',
    );
  });
});
