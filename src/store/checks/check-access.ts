import { errorMessage, Fault } from '../../model/index.ts';
import { redactUrl } from '../../telemetry/redact.ts';
import { connectOnce } from '../connect.ts';

const ANSWER_MS = 3000;
const REFUSED = /NOAUTH|WRONGPASS|invalid (username-)?password/i;

/**
 * Throws a Fault if Redis refuses the credentials of the URL, because a manager would wait for it in vain. One that
 * does not answer may come later.
 */
export async function checkRedisAccess(url: string): Promise<void> {
  const redis = connectOnce(url, ANSWER_MS);
  const errors: string[] = [];
  redis.on('error', (error) => errors.push(errorMessage(error)));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    errors.push(errorMessage(error));
  } finally {
    redis.disconnect();
  }
  const why = errors.find((one) => REFUSED.test(one));
  if (!why) return;
  const what = new URL(url).password
    ? 'refuses its user and password'
    : 'requires a password, which it does not have';
  throw new Fault(
    'unavailable',
    `REDIS_URL is ${redactUrl(url)}, and that Redis ${what} (${why}). Set REDIS_URL=redis://USER:PASSWORD@HOST:PORT.`,
  );
}
