import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Three hours: a property that takes 0.1 s a run. */
const LONGEST_MS = 3 * 3_600_000;

/** The property tests alone, with one seed for all and as much time as 100,000 runs take. */
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
