import { describeOutputLayer } from '@vastmax/output-layer/suite';
import { sphericalSoftmax, squaredError, taylorSoftmax, zLoss } from '@vastmax/spherical-losses';
import { bouchard } from '../losses/bouchard.ts';
import { factoredSubject } from './layer-subjects.ts';

describeOutputLayer(
  factoredSubject('factored, squared error', {
    loss: () => squaredError({ targetValue: 2 }),
    reference: { name: 'squared-error', targetValue: 2 },
  }),
);
describeOutputLayer(
  factoredSubject('factored, spherical softmax', {
    loss: () => sphericalSoftmax({ epsilon: 0.5 }),
    reference: { name: 'spherical-softmax', epsilon: 0.5 },
  }),
);
describeOutputLayer(
  factoredSubject('factored, Taylor softmax', { loss: () => taylorSoftmax(), reference: { name: 'taylor-softmax' } }),
);
describeOutputLayer(
  factoredSubject('factored, Z-loss', {
    loss: () => zLoss({ a: 0.3, b: 4 }),
    reference: { name: 'z-loss', a: 0.3, b: 4 },
  }),
);
describeOutputLayer(
  factoredSubject('factored, Z-loss, row form', {
    loss: () => zLoss(),
    reference: { name: 'z-loss', a: 0.1, b: 10 },
    form: 'row',
  }),
);
describeOutputLayer(
  factoredSubject('factored, Taylor softmax, small-batch form', {
    loss: () => taylorSoftmax(),
    reference: { name: 'taylor-softmax' },
    form: 'small-batch',
  }),
);
describeOutputLayer(
  factoredSubject('factored, spherical softmax with an epsilon for each class', {
    loss: ({ classes }) =>
      sphericalSoftmax({ epsilon: Float64Array.from({ length: classes }, (_, k) => 0.2 + 3 / (k + 1)) }),
  }),
);
describeOutputLayer(
  factoredSubject('factored, Z-loss, preconditioned', {
    loss: () => zLoss(),
    reference: { name: 'z-loss', a: 0.1, b: 10 },
    preconditioner: { power: 1, refreshEvery: 3 },
  }),
);
describeOutputLayer(
  factoredSubject('factored, spherical softmax, preconditioned, row form', {
    loss: () => sphericalSoftmax({ epsilon: 0.5 }),
    reference: { name: 'spherical-softmax', epsilon: 0.5 },
    form: 'row',
    preconditioner: { power: 0.5, refreshEvery: 2 },
  }),
);
describeOutputLayer(factoredSubject("factored, a user's loss", { loss: () => bouchard }));
