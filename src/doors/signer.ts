/**
 * Signs the tokens for the doors of bodies. The private key is only in this process's memory; its public half is
 * published for as long as the process lives, and is believed by any body of the cell.
 */
import { generateKeyPairSync } from 'node:crypto';
import { type DoorSubject, getDoorKeyId, signDoorToken } from '../model/doors/door-token.ts';

/** How long a published key outlives its manager, in milliseconds, and how often it is renewed. */
const PUBLISHED_MS = 180_000;
const RENEW_MS = 30_000;
/** How long a token is used again, in milliseconds, a fifth of its validity; and for how many bodies. */
const REUSED_MS = 60_000;
const RECENT = 1000;

export interface DoorSigner {
  sign(subject: DoorSubject): string;
  /** Publishes the key again at once, for a store that has lost it. Throws if Redis does not answer. */
  publish(): Promise<void>;
  close(): void;
}

/** Publishes the key from now on; a failed attempt is repeated. */
export function createDoorSigner(
  publish: (key: { id: string; publicKey: string }, ms: number) => Promise<void>,
  now: () => number,
): DoorSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ format: 'der', type: 'spki' });
  const id = getDoorKeyId(der);
  const put = () => publish({ id, publicKey: der.toString('base64') }, PUBLISHED_MS);
  const renew = () => void put().catch(() => {});
  renew();
  const timer = setInterval(renew, RENEW_MS);
  timer.unref();
  /** Tokens that were signed a moment ago: to sign one and to check it takes longer than a short request. */
  const recent = new Map<string, { token: string; until: number }>();
  return {
    sign(subject) {
      const name = `${subject.cell} ${subject.worker_id} ${subject.incarnation}`;
      const known = recent.get(name);
      const time = now();
      if (known && time < known.until && time >= known.until - REUSED_MS) return known.token;
      const token = signDoorToken({ id, privateKey }, subject, time);
      recent.delete(name);
      recent.set(name, { token, until: time + REUSED_MS });
      const [oldest] = recent.keys();
      if (recent.size > RECENT && oldest !== undefined) recent.delete(oldest);
      return token;
    },
    publish: put,
    close: () => clearInterval(timer),
  };
}
