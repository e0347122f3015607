/** The token of the API, from the operator's settings. */
import { readFileSync } from 'node:fs';
import { isLoopback } from '../http/access/hosts.ts';
import { errorMessage, Fault } from '../model/index.ts';
import type { Settings } from './settings.ts';
import { VARIABLES } from './variables.ts';

type Given = Pick<Settings, 'apiToken' | 'apiTokenFile' | 'httpHost'>;

/**
 * API_TOKEN, or the content of API_TOKEN_FILE without the trailing newline, or the one that `keep` returns. Throws a
 * Fault `invalid_command` if the file cannot be read or has no valid token, without its content; and if the API listens
 * beyond this machine without a token from the operator.
 */
export function resolveApiToken(settings: Given, keep: () => string): string {
  const token = settings.apiTokenFile === undefined ? settings.apiToken : fromFile(settings.apiTokenFile);
  if (token !== undefined) return token;
  const { httpHost } = settings;
  if (isLoopback(httpHost)) return keep();
  throw new Fault(
    'invalid_command',
    `HTTP_HOST is ${httpHost}, which other machines can reach, and no token is set. Set API_TOKEN or API_TOKEN_FILE, or HTTP_HOST=127.0.0.1.`,
  );
}

function fromFile(path: string): string {
  const refuse = (why: string) =>
    new Fault('invalid_command', `API_TOKEN_FILE is ${path}, ${why}. Set it to another file, or unset it.`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw refuse(`which cannot be read: ${errorMessage(error)}`);
  }
  const { schema, allowed } = VARIABLES.apiToken;
  if (!schema.safeParse(text).success) throw refuse(`whose content is not ${allowed}`);
  return text;
}
