import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A new address for the API of this process, at which the watchdog connects to it. Linux has abstract names that are
 * not files, so that a killed manager leaves nothing behind. Clients need the same token as on the port.
 */
export function newApiSocket(): string {
  const name = `worker-manager-${process.pid}-${randomUUID()}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name.slice(0, 40)}.sock`);
}
