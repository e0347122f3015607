/** How long a test waits for something that takes milliseconds, on a machine that is busy with others. */
export const PATIENCE = { timeout: 15_000, interval: 20 };
