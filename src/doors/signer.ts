/**
 * Signs the tokens for the doors of bodies. The private key is only in this process's memory; its public half is
 * published for as long as the process lives, and is believed by any body of the cell.
 */
import { generateKeyPairSync } from 'node:crypto';
import { type DoorSubject, getDoorKeyId, signDoorToken } from '../model/door-token.ts';

/** How long a published key outlives its manager, in milliseconds, and how often it is renewed. */
const PUBLISHED_MS = 180_000;
const RENEW_MS = 30_000;

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
  return {
    sign: (subject) => signDoorToken({ id, privateKey }, subject, now()),
    publish: put,
    close: () => clearInterval(timer),
  };
}
