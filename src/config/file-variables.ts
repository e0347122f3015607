/**
 * Variables whose value may be in a file instead, so that it is in no environment, which `docker inspect` and `ps`
 * show: `NAME_FILE` names the file with the value of `NAME`.
 */
import { readFileSync } from 'node:fs';
import { errorMessage, Fault } from '../model/values/fault.ts';
import type { Environment } from './variable.ts';

/** API_TOKEN_FILE is not among them: the manager can make a token itself (api-token.ts). */
const NAMES = ['REDIS_URL', 'WORKER_REDIS_URL', 'WEBHOOK_SECRET'] as const;

/**
 * The environment with the values of the files, without trailing white space. Throws a Fault `invalid_command` if a
 * file cannot be read or is empty, or if a variable is set in both ways.
 */
export function readFileVariables(env: Environment): Environment {
  const read = { ...env };
  for (const name of NAMES) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (env[name]) throw refuse(name, path, `cannot be combined with ${name}`);
    const value = readValue(name, path);
    if (value === '') throw refuse(name, path, 'is an empty file');
    read[name] = value;
  }
  return read;
}

function readValue(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw refuse(name, path, `cannot be read: ${errorMessage(error)}`);
  }
}

const refuse = (name: string, path: string, why: string) => {
  const message = `is "${path}", which ${why}`;
  const issues = [{ path: `${name}_FILE`, message }];
  return new Fault('invalid_command', `Invalid environment:\n  ${name}_FILE ${message}`, { issues });
};
