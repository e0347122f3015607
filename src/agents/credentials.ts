import type { Credential, ModelAddress } from './kind.ts';

/** Stands where a key is wanted; the wrapper's gateway puts the real one in its place. */
export const NO_KEY = 'the-gateway-has-it';

/** The Messages API, and its key (docs.claude.com/en/api). */
export const ANTHROPIC: ModelAddress = { variable: 'ANTHROPIC_BASE_URL', url: 'https://api.anthropic.com' };
export const ANTHROPIC_API_KEY: Credential = { secret: 'ANTHROPIC_API_KEY', header: 'x-api-key', prefix: '' };
