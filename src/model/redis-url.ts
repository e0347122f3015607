/** The URL of a Redis, and a client that works in the database that it names or not at all. Must not import anything. */

/** What is allowed, as the end of "must be …". */
export const REDIS_URL_ALLOWED =
  'a URL such as redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/DB, where DB is a whole number and % in a password is written %25';

/** Whether the client reads this text as it was meant: it takes `/1.5` for 1, and fails on a bare `%`. */
export function isRedisUrl(text: string): boolean {
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { pathname, searchParams, username, password } = new URL(text);
  if (!/^(\/\d{0,6})?$/.test(pathname) || !/^\d{0,6}$/.test(searchParams.get('db') ?? '')) return false;
  try {
    decodeURIComponent(username);
    decodeURIComponent(password);
    return true;
  } catch {
    return false;
  }
}

interface Client {
  on(event: 'error', listener: (error: Error) => void): unknown;
  disconnect(reconnect?: boolean): void;
}

/**
 * Lets a client give up a connection on which the database could not be selected: it would go on in database 0, among the
 * keys of others.
 */
export function insistOnDatabase<C extends Client>(client: C): C {
  client.on('error', (error: Error & { command?: { name?: string; args?: unknown[] } }) => {
    if (error.command?.name !== 'select') return;
    error.message = `there is no database ${error.command.args?.[0]}: ${error.message}`;
    client.disconnect(true);
  });
  return client;
}
