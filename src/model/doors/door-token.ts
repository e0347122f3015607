/**
 * The token of a body's door: a statement for one body, signed by a manager and valid for minutes. The key pair
 * exists only in the memory of its manager; Redis has the public half, so that nothing secret is stored.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** How long a new token is valid, in milliseconds. Clocks of two machines may differ by somewhat less. */
export const DOOR_TOKEN_MS = 300_000;
/** No manager signs for longer than this, whatever its clock. */
const LONGEST_MS = 2 * DOOR_TOKEN_MS;
/** Half of a SHA-256 in base64url. */
const KEY_ID = /^[A-Za-z0-9_-]{22}$/;
const MAX_LENGTH = 1024;

/** The body that a token is for. An incarnation of a worker has one body. */
export interface DoorSubject {
  cell: string;
  worker_id: string;
  incarnation: number;
}

/** A token whose signature is not checked yet. */
export interface DoorToken {
  key_id: string;
  subject: DoorSubject;
  /** Milliseconds since 1970. */
  expires_at: number;
  signed: Buffer;
  signature: Buffer;
}

/** The name of a public key (SPKI, DER): derived from the key, so that another key cannot take it. */
export function getDoorKeyId(publicKey: Buffer): string {
  return createHash('sha256').update(publicKey).digest().subarray(0, 16).toString('base64url');
}

export function signDoorToken(
  key: { id: string; privateKey: KeyObject },
  { cell, worker_id, incarnation }: DoorSubject,
  now: number,
): string {
  const claims = JSON.stringify([cell, worker_id, incarnation, now + DOOR_TOKEN_MS]);
  const text = `${key.id}.${Buffer.from(claims).toString('base64url')}`;
  return `${text}.${sign(null, Buffer.from(text), key.privateKey).toString('base64url')}`;
}

/** Reads a token; `undefined` if it is none. Its content is not to be believed before `isSignedBy`. */
export function parseDoorToken(text: string): DoorToken | undefined {
  const [key_id = '', claims = '', signature = '', ...more] = text.split('.');
  if (text.length > MAX_LENGTH || more.length > 0 || !KEY_ID.test(key_id)) return undefined;
  try {
    const [cell, worker_id, incarnation, expires_at] = JSON.parse(
      Buffer.from(claims, 'base64url').toString('utf8'),
    ) as unknown[];
    if (typeof cell !== 'string' || typeof worker_id !== 'string') return undefined;
    if (typeof incarnation !== 'number' || typeof expires_at !== 'number') return undefined;
    return {
      key_id,
      subject: { cell, worker_id, incarnation },
      expires_at,
      signed: Buffer.from(`${key_id}.${claims}`),
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    return undefined;
  }
}

/** Reads a published key (base64 of SPKI, DER); `undefined` if it is none, or not the one with that ID. */
export function parseDoorKey(id: string, text: string): KeyObject | undefined {
  const der = Buffer.from(text, 'base64');
  if (getDoorKeyId(der) !== id) return undefined;
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

export const isSignedBy = ({ signed, signature }: DoorToken, key: KeyObject): boolean =>
  verify(null, signed, key, signature);

export const isDoorTokenCurrent = ({ expires_at }: DoorToken, now: number): boolean =>
  now < expires_at && expires_at - now <= LONGEST_MS;

/** A header of the door's own refusals of a token: the request reached no route, and may be sent again. */
export const DOOR_REFUSAL = 'worker-door-refusal';
/** Why a token was refused. */
export type DoorRefusal = 'token' | 'key' | 'expired' | 'subject' | 'unavailable';
