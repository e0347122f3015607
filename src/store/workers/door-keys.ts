import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';

/** Publishes a manager's public key for the doors of bodies (base64 of SPKI, DER) for that many milliseconds. */
export async function publishDoorKey(
  redis: Link,
  keys: Keys,
  { id, publicKey }: { id: string; publicKey: string },
  ms: number,
): Promise<void> {
  await redis.set(keys.doorKey(id), publicKey, 'PX', ms);
}
