// A vitest setup file: properties draw the same cases in every run, so that a change is what makes a test fail.
// VASTMAX_PROPERTY_SEED=N draws others; fast-check prints the seed of a failure.

import fc from 'fast-check';

const given = process.env.VASTMAX_PROPERTY_SEED;
const seed = given === undefined ? 20_261_122 : Number(given);
if (!Number.isInteger(seed)) throw new Error(`VASTMAX_PROPERTY_SEED is '${String(given)}', it must be a whole number`);
fc.configureGlobal({ seed });
