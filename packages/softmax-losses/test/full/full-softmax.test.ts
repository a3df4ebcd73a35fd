import { createFullSoftmaxLayer } from '@vastmax/softmax-losses';
import { describeSubject, type Subject } from '../subjects.ts';

function subject(name: string, options: { readonly blockClasses: number; readonly bias: boolean }): Subject {
  return {
    name,
    create: (backend, request, rule) =>
      createFullSoftmaxLayer(backend, { ...request, ...options, initialScale: 0.3, rule }),
    model: ({ classes, features }) => {
      const rows = Array.from({ length: classes }, (_, k) => k * (features + (options.bias ? 1 : 0)));
      return { bias: options.bias, decisions: (target) => [{ rows, chosen: target }] };
    },
  };
}

describeSubject(subject('full softmax in blocks of 7', { blockClasses: 7, bias: true }));
describeSubject(subject('full softmax in one block, no biases', { blockClasses: 100, bias: false }));
