// A vitest setup file: property tests use the same random cases in every run, so that only a change of the code can
// make a test fail. VASTMAX_PROPERTY_SEED=N selects other cases; fast-check prints the seed of a failure.

import fc from 'fast-check';

const given = process.env.VASTMAX_PROPERTY_SEED;
const seed = given === undefined ? 20_261_122 : Number(given);
if (!Number.isInteger(seed)) throw new Error(`VASTMAX_PROPERTY_SEED is '${String(given)}', it must be a whole number`);
fc.configureGlobal({ seed });
