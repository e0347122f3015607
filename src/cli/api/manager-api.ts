/**
 * Reads from the manager's HTTP API, for verbs that must start fast: with Node's own client, because `fetch` takes longer
 * to load than all of `wm ps`.
 */
import { errorMessage, Fault, type FaultCode, type Issue } from '../../model/values/fault.ts';
import type { ManagerApi } from '../deps.ts';
import { directAgent, toManagerUrl } from './manager-url.ts';

/** Milliseconds without any data after which the manager counts as away. */
const SILENT_MS = 4000;
const UNAUTHORIZED = 401;
/** Characters of an unexpected response to show. */
const SHOWN = 300;

/** One JSON document; throws a Fault if the manager does not answer, or with another status. */
export async function readManager<T>(
  api: ManagerApi,
  path: string,
  expected: readonly number[] = [200],
): Promise<T> {
  const { status, body } = await request(api, path).catch((cause: unknown) => {
    throw createUnansweredFault(api, cause);
  });
  if (expected.includes(status)) return JSON.parse(body) as T;
  throw parseRefusal(api, status, body);
}

export const createUnansweredFault = (api: ManagerApi, cause: unknown): Fault =>
  new Fault(
    'unavailable',
    `The manager does not answer at ${api.url} (${errorMessage(cause)}). ${api.explicit ? 'Check WM_URL' : 'Start it with `wm serve`, or set WM_URL'}.`,
    { cause },
  );

/** The error of a response. */
export function parseRefusal(api: ManagerApi, status: number, body: string): Fault {
  if (status === UNAUTHORIZED)
    return new Fault(
      'invalid_command',
      `The manager at ${api.url} refuses the token. Check WM_TOKEN: on its machine, \`wm context --token\` prints the right one.`,
    );
  try {
    const { code, message, issues, reason } = (JSON.parse(body) as { error: ErrorBody }).error;
    return new Fault(code, message, { ...(issues && { issues }), ...(reason && { reason }) });
  } catch {
    return new Fault(
      'unavailable',
      `The manager at ${api.url} answers with ${status}: ${body.slice(0, SHOWN)}`,
    );
  }
}

interface ErrorBody {
  code: FaultCode;
  message: string;
  issues?: Issue[];
  reason?: string;
}

/** All items of a list, page by page. */
export async function readManagerList<T>(api: ManagerApi, path: string): Promise<T[]> {
  const all: T[] = [];
  let next = path;
  while (next !== '') {
    const page = await readManager<{ items: T[]; next_cursor?: string | null }>(api, next);
    all.push(...page.items);
    const cursor = page.next_cursor ?? '';
    const separator = path.includes('?') ? '&' : '?';
    next = cursor && `${path}${separator}cursor=${encodeURIComponent(cursor)}`;
  }
  return all;
}

async function request(api: ManagerApi, path: string): Promise<{ status: number; body: string }> {
  const url = toManagerUrl(api, path);
  // An import would also evaluate the lazy exports of the module, of which WebSocket takes longer than all of `wm ps`.
  const { get } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const headers = api.token === undefined ? {} : { authorization: `Bearer ${api.token}` };
  return new Promise((resolve, reject) => {
    const sent = get(url, { headers, timeout: SILENT_MS, ...directAgent(url) }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }),
      );
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${SILENT_MS / 1000} s`)));
    sent.on('error', reject);
  });
}
