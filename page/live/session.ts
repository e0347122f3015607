/**
 * The manager's API with the token of this tab. The token is kept in the tab's session storage, is sent in a header only,
 * and is never part of a URL.
 */
import { createHttpTransport } from '../../src/client/http/http-transport.ts';
import { HttpRequester } from '../../src/client/http/request.ts';
import { Observable } from './store.ts';

const KEY = 'worker-manager.token';
const TIMEOUT_MS = 30_000;
/** Reads are repeated by the next poll anyway; changes have an idempotency key. */
const RETRIES = 2;

/** The token, or `undefined` while it must be asked for. */
export const token = new Observable<string | undefined>(sessionStorage.getItem(KEY) ?? undefined);
/** Why the token must be asked for again. */
export const rejection = new Observable<string | undefined>(undefined);

/** The folder of the page, so that a proxy may serve it under a path. */
const url = new URL('.', location.href).href.replace(/\/+$/, '');

async function send(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const sent = token.value;
  const response = await fetch(input, { ...init, cache: 'no-store', credentials: 'omit', redirect: 'error' });
  if (response.status === 401 && sent !== undefined && sent === token.value) {
    forget('The manager does not accept this token.');
  }
  return response;
}

export const requester = new HttpRequester({
  endpoint: () => ({ url, token: token.value }),
  fetch: send,
  timeoutMs: TIMEOUT_MS,
  retries: RETRIES,
});
export const api = createHttpTransport(requester);

/** Keeps a token that the manager accepts; the returned text says why it does not. */
export async function enter(candidate: string): Promise<string | undefined> {
  // A header can hold no other characters.
  if (!/^[\x21-\x7e]+$/.test(candidate)) return 'A token has no spaces and only ASCII characters.';
  const response = await fetch(`${url}/v1/stats`, {
    headers: { authorization: `Bearer ${candidate}` },
    cache: 'no-store',
    credentials: 'omit',
  }).catch(() => undefined);
  if (!response) return 'The manager cannot be reached.';
  if (response.status === 401) return 'The manager does not accept this token.';
  sessionStorage.setItem(KEY, candidate);
  rejection.set(undefined);
  token.set(candidate);
  return undefined;
}

/** Deletes the token from this tab. */
export function forget(why?: string): void {
  sessionStorage.removeItem(KEY);
  rejection.set(why);
  token.set(undefined);
}
