import type { Credential, ModelAddress } from './kind.ts';

/** Placeholder for an API key; the wrapper's model proxy replaces it with the real one. */
export const NO_KEY = 'the-gateway-has-it';

/** The Messages API, and its key (docs.claude.com/en/api). */
export const ANTHROPIC: ModelAddress = { variable: 'ANTHROPIC_BASE_URL', url: 'https://api.anthropic.com' };
export const ANTHROPIC_API_KEY: Credential = { secret: 'ANTHROPIC_API_KEY', header: 'x-api-key', prefix: '' };
