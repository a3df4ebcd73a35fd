import { add, scale, softplus, sqrt, subtract } from '@vastmax/autodiff';
import { defineSphericalLoss, type SphericalLoss } from '@vastmax/spherical-losses';

/** The worked example of defineSphericalLoss, as it stands there. */
export const bouchard: SphericalLoss = defineSphericalLoss({
  name: 'bouchard',
  perTarget: ({ s, squaredDeviations, output, classes }) => {
    const mean = scale(s, 1 / classes);
    const deviation = sqrt(scale(squaredDeviations, 1 / classes));
    const bound = subtract(softplus(deviation), scale(deviation, 0.5));
    return subtract(add(mean, scale(bound, classes)), output);
  },
});
