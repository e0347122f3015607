/** Runs before each file of property tests: one seed for all, so that a run can be repeated. */
import fc from 'fast-check';

const { FC_SEED, FC_RUNS } = process.env;
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  ...(FC_SEED && { seed: Number(FC_SEED) }),
  ...(FC_RUNS && { numRuns: Number(FC_RUNS) }),
});
