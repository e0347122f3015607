import { defineConfig } from 'vitest/config';
import { PATIENCE } from './test/support/patience.ts';

const SKIP_REPORTER = './test/support/skip-reporter.ts';

/** `unit` needs nothing but Node; `real` needs a Redis and a Docker daemon, which its global setup provides. */
export default defineConfig({
  test: {
    reporters: ['default', SKIP_REPORTER],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.real.test.ts'],
          testTimeout: 20_000,
          expect: { poll: PATIENCE },
          // One process of vitest loads each module once for all its files: that halves the processor time.
          isolate: false,
          // The modules stay, so most of what the tests make is young: a large space for it saves collections of everything.
          execArgv: ['--max-semi-space-size=64'],
          // Many of these tests wait for processes that they start, so no core is kept free for vitest itself.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.real.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          expect: { poll: PATIENCE },
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
