import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A new address for the API of this process, at which the watchdog reaches it. Linux has names that are no files, so
 * that a manager that is killed leaves nothing behind. Clients need the same token as on the port.
 */
export function newApiSocket(): string {
  const name = `worker-manager-${process.pid}-${randomUUID()}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name.slice(0, 40)}.sock`);
}
