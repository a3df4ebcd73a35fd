import { createAdaptiveSoftmaxLayer, type AdaptiveSoftmaxOptions } from '@vastmax/softmax-losses';
import type { LayerRequest } from '@vastmax/output-layer/suite';
import type { NaiveModel } from '../naive-twin.ts';
import { describeSubject, type Subject } from '../subjects.ts';

interface Form {
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly headBias: boolean;
}

/** Weights are the head's rows, then for each tail the projection and the rows of its classes. */
function adaptiveModel(
  { classes, features }: LayerRequest,
  { cutoffs, divValue, headBias }: Form,
  rankOf: (target: number) => number,
): NaiveModel {
  const input = features + (headBias ? 1 : 0);
  const shortlist = cutoffs[0]!;
  const bounds = [...cutoffs, classes];
  const headRows = Array.from({ length: shortlist + cutoffs.length }, (_, k) => k * input);
  let at = headRows.length * input;
  const tails = cutoffs.map((first, tail) => {
    const outputs = Math.max(1, Math.floor(features / divValue ** (tail + 1)));
    const projection = { at, outputs, inputs: features };
    at += outputs * features;
    const rows = Array.from({ length: bounds[tail + 1]! - first }, (_, k) => at + k * outputs);
    at += rows.length * outputs;
    return { first, projection, rows };
  });
  return {
    bias: headBias,
    decisions: (target) => {
      const rank = rankOf(target);
      const tail = tails.findLast(({ first }) => rank >= first);
      if (tail === undefined) return [{ rows: headRows, chosen: rank }];
      return [
        { rows: headRows, chosen: shortlist + tails.indexOf(tail) },
        { rows: tail.rows, chosen: rank - tail.first, projection: tail.projection },
      ];
    },
  };
}

const sorted: Subject = {
  name: 'adaptive softmax, three tails',
  create: (backend, request, rule) => {
    const options: AdaptiveSoftmaxOptions = { ...request, cutoffs: [4, 9, 17], divValue: 1.5, initialScale: 0.4, rule };
    return createAdaptiveSoftmaxLayer(backend, options);
  },
  model: (request) =>
    adaptiveModel(request, { cutoffs: [4, 9, 17], divValue: 1.5, headBias: false }, (target) => target),
};

const frequenciesOf = (classes: number): Float64Array =>
  Float64Array.from({ length: classes }, (_, k) => (k * 11) % classes);

const byFrequency: Subject = {
  name: 'adaptive softmax by frequency, head biases',
  create: (backend, request, rule) =>
    createAdaptiveSoftmaxLayer(backend, {
      ...request,
      cutoffs: [6, 14],
      headBias: true,
      frequencies: frequenciesOf(request.classes),
      initialScale: 0.4,
      rule,
    }),
  model: (request) => {
    const frequencies = frequenciesOf(request.classes);
    const order = Array.from(frequencies.keys()).sort((a, b) => frequencies[b]! - frequencies[a]! || a - b);
    return adaptiveModel(request, { cutoffs: [6, 14], divValue: 4, headBias: true }, (target) => order.indexOf(target));
  },
};

describeSubject(sorted);
describeSubject(byFrequency);
