/**
 * The URL of a Redis, and a client that either works in the database that the URL names or fails. Must not import
 * anything.
 */

/** The allowed values, as the end of "must be …". */
export const REDIS_URL_ALLOWED =
  'a URL such as redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/DB, where DB is a whole number and % in a password is written %25';

/** Whether ioredis parses this URL as written: it takes `/1.5` as 1, and throws on a bare `%`. */
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
 * Makes a client close a connection on which the database could not be selected; otherwise it would continue in
 * database 0, among other programs' keys.
 */
export function insistOnDatabase<C extends Client>(client: C): C {
  client.on('error', (error: Error & { command?: { name?: string; args?: unknown[] } }) => {
    if (error.command?.name !== 'select') return;
    error.message = `database ${error.command.args?.[0]} cannot be selected: ${error.message}`;
    client.disconnect(true);
  });
  return client;
}
