/**
 * The descriptors of the runners: 3 for calls, 4 for replies, and 5 only shows that the other side is gone.
 */
export const CALLS = 3;
export const MESSAGES = 4;
export const LIFELINE = 5;
