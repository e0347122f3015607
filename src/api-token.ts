/** The token that the API asks for, from where the operator keeps it. */
import { readFileSync } from 'node:fs';
import { Fault, messageOf } from './model/index.ts';
import type { Settings } from './settings.ts';
import { VARIABLES } from './variables.ts';

/**
 * API_TOKEN, or the content of API_TOKEN_FILE without the line's end; `undefined` where neither is set. Throws a Fault
 * `invalid_command` where the file cannot be read or holds no token, without saying what it holds: an API that was to be
 * closed must not stand open.
 */
export function apiTokenOf({
  apiToken,
  apiTokenFile,
}: Pick<Settings, 'apiToken' | 'apiTokenFile'>): string | undefined {
  if (apiTokenFile === undefined) return apiToken;
  const refuse = (why: string) =>
    new Fault(
      'invalid_command',
      `API_TOKEN_FILE is ${apiTokenFile}, ${why}. Name another file, or unset it.`,
    );
  let text: string;
  try {
    text = readFileSync(apiTokenFile, 'utf8').trim();
  } catch (error) {
    throw refuse(`which cannot be read: ${messageOf(error)}`);
  }
  const { schema, allowed } = VARIABLES.apiToken;
  if (!schema.safeParse(text).success) throw refuse(`whose content is not ${allowed}`);
  return text;
}
