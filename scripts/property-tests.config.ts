import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Three hours, enough for a property that takes 0.1 s per run. */
const LONGEST_MS = 3 * 3_600_000;

/** Only the property tests, with one seed for all and enough time for 100,000 runs. */
export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    include: ['test/properties/**/*.test.ts', 'test/**/*.property.test.ts'],
    exclude: ['test/**/*.real.test.ts'],
    setupFiles: ['scripts/property-tests.seed.ts'],
    reporters: ['verbose'],
    testTimeout: LONGEST_MS,
  },
});
