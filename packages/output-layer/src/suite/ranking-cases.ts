import { read } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import { expect } from 'vitest';
import type { OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, placed, request } from './minibatches.ts';
import { allScores, expectClose, expectRefusal, toleranceOf, warmUp } from './observations.ts';
import { ranksOf, topK } from '../rankings.ts';

const batch = createMinibatch(6, 99);
const examples = batch.targets.rows;

export const rankingCases: readonly OutputLayerCase[] = [
  {
    id: 'ranking/scores-by-blocks',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const whole = await allScores(layer, batch);
      using hidden = placed(layer.backend, batch);
      for (const [first, count] of [
        [0, 1],
        [3, 11],
        [request.classes - 4, 4],
      ] as const) {
        using out = layer.backend.createMatrix(examples, count);
        layer.scores(hidden, first, out);
        const expected = Array.from(
          { length: examples * count },
          (_, i) => whole[Math.floor(i / count) * request.classes + first + (i % count)]!,
        );
        expectClose(
          await read(out),
          expected,
          `the scores of classes ${first} to ${first + count - 1}`,
          toleranceOf(layer),
        );
      }
    },
  },
  {
    id: 'ranking/class-scores',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const whole = await allScores(layer, batch);
      using hidden = placed(layer.backend, batch);
      using out = layer.backend.createMatrix(examples, 1);
      for (let shift = 0; shift < request.classes; shift++) {
        const classes = Int32Array.from({ length: examples }, (_, j) => (shift + j * j) % request.classes);
        layer.classScores(hidden, classes, out);
        const expected = Array.from(classes, (target, j) => whole[j * request.classes + target]!);
        expectClose(await read(out), expected, `the scores of classes ${classes.join(', ')}`, toleranceOf(layer));
      }
    },
  },
  {
    id: 'ranking/scores-order-classes-as-losses-do',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const whole = await allScores(layer, batch);
      using hidden = placed(layer.backend, batch);
      const losses: (readonly number[])[] = [];
      for (let target = 0; target < request.classes; target++) {
        losses.push([
          ...(await read(
            await layer.evaluate(hidden, singleTargets(new Int32Array(examples).fill(target), request.classes)),
          )),
        ]);
      }
      for (let example = 0; example < examples; example++) {
        const byScore = Array.from(losses.keys()).sort(
          (a, b) => whole[example * request.classes + b]! - whole[example * request.classes + a]!,
        );
        const ordered = byScore.map((target) => losses[target]![example]!);
        expectClose(
          ordered,
          ordered.toSorted((a, b) => a - b),
          `the losses of the classes of example ${example}, the best score first`,
          toleranceOf(layer),
        );
      }
    },
  },
  {
    id: 'ranking/top-k-and-ranks-against-sorting',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      const whole = await allScores(layer, batch);
      using hidden = placed(layer.backend, batch);
      const k = 5;
      const best = await topK(layer, hidden, k);
      for (let example = 0; example < examples; example++) {
        const scores = whole.subarray(example * request.classes, (example + 1) * request.classes);
        const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
        expect(
          Array.from(best.classes.subarray(example * k, (example + 1) * k)),
          `the best of example ${example}`,
        ).toEqual(order.slice(0, k));
        expectClose(
          best.scores.subarray(example * k, (example + 1) * k),
          order.slice(0, k).map((target) => scores[target]!),
          'their scores',
          toleranceOf(layer),
        );
      }
      for (const target of [0, 7, request.classes - 1]) {
        const ranks = await ranksOf(layer, hidden, new Int32Array(examples).fill(target));
        const expected = Array.from({ length: examples }, (_, example) => {
          const scores = whole.subarray(example * request.classes, (example + 1) * request.classes);
          const own = scores[target]!;
          return scores.reduce(
            (rank, score, other) => (other === target ? rank : rank + (score > own ? 1 : score === own ? 0.5 : 0)),
            1,
          );
        });
        expect(Array.from(ranks), `the ranks of class ${target}`).toEqual(expected);
      }
    },
  },
  {
    id: 'ranking/class-vectors-by-blocks',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      await warmUp(layer);
      using whole = layer.backend.createMatrix(request.classes, request.features);
      layer.classVectors(0, whole);
      const all = await read(whole);
      expect(
        all.some((value) => value !== 0),
        'the vectors are not all zero',
      ).toBe(true);
      for (const [first, count] of [
        [0, 1],
        [5, 9],
        [request.classes - 3, 3],
      ] as const) {
        using out = layer.backend.createMatrix(count, request.features);
        layer.classVectors(first, out);
        const expected = all.subarray(first * request.features, (first + count) * request.features);
        expectClose(
          await read(out),
          expected,
          `the vectors of classes ${first} to ${first + count - 1}`,
          toleranceOf(layer),
        );
      }
    },
  },
  {
    id: 'ranking/bad-input-is-refused',
    run: async (subject) => {
      using layer = await subject.create(subject.backend(), request);
      using hidden = placed(layer.backend, batch);
      using out = layer.backend.createMatrix(examples, 4);
      using column = layer.backend.createMatrix(examples, 1);
      await expectRefusal(() => layer.scores(hidden, request.classes - 3, out), 'class-out-of-range', [
        request.classes - 1,
      ]);
      await expectRefusal(() => layer.scores(hidden, -1, out), 'class-out-of-range', [-1]);
      using vectors = layer.backend.createMatrix(2, request.features);
      await expectRefusal(() => layer.classVectors(request.classes - 1, vectors), 'class-out-of-range', [
        request.classes - 1,
      ]);
      await expectRefusal(
        () => layer.classScores(hidden, new Int32Array(examples).fill(request.classes), column),
        'class-out-of-range',
        [request.classes],
      );
      await expectRefusal(() => layer.classScores(hidden, new Int32Array(examples + 1), column), 'shape', [
        examples,
        examples + 1,
      ]);
      await expectRefusal(() => topK(layer, hidden, 0), 'bad-option', [0, request.classes]);
      await expectRefusal(() => topK(layer, hidden, request.classes + 1), 'bad-option', [
        request.classes + 1,
        request.classes,
      ]);
      await expectRefusal(() => ranksOf(layer, hidden, new Int32Array(examples - 1)), 'shape', [
        examples,
        examples - 1,
      ]);
    },
  },
];
