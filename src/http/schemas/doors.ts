/** What requests for the bodies of workers have in common. */
import { z } from 'zod';

/** As long as a worker takes to start whose image exists. */
const WAIT_SECONDS = 30;
export const LONGEST_WAIT_SECONDS = 3600;

export const waitSeconds = z.coerce
  .number()
  .min(0)
  .max(LONGEST_WAIT_SECONDS)
  .default(WAIT_SECONDS)
  .describe('how long to wait for a worker that is starting');

/** The query of a request that has no other parameters. */
export const doorQuery = z.strictObject({ wait_seconds: waitSeconds });
