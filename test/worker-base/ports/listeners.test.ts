/** Which sockets may accept a connection to a port, and whose they are. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { BodyPorts } from '../../../worker-base/ports/body-ports.ts';
import { findListeners, SocketOwners } from '../../../worker-base/ports/listeners.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;

function tables(tcp: string[], tcp6: string[] = []): string {
  const proc = mkdtempSync(join(tmpdir(), 'proc-'));
  closing.push(() => rmSync(proc, { recursive: true }));
  mkdirSync(join(proc, 'net'));
  writeFileSync(join(proc, 'net/tcp'), [HEAD, ...tcp, ''].join('\n'));
  writeFileSync(join(proc, 'net/tcp6'), [HEAD, ...tcp6, ''].join('\n'));
  return proc;
}

async function listen(host: string, port = 0): Promise<number> {
  const server: Server = createServer();
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}

const me = { bodyId: undefined, workerId: 'none', incarnation: 1 };

describe('the listeners of a port', () => {
  const ANY6 = '00000000000000000000000000000000';
  test('are all sockets that may accept a connection to loopback, and no others', () => {
    const proc = tables(
      [
        line('0100007F:1F90', '0A', 11),
        line('00000000:1F90', '0A', 12),
        line('0200007F:1F90', '0A', 13),
        line('0100007F:1F90', '01', 14),
        line('0100007F:1F91', '0A', 15),
      ],
      [line(`${ANY6}:1F90`, '0A', 16), line('00000000000000000000000001000000:1F92', '0A', 17)],
    );
    expect(findListeners(0x1f90, proc)).toEqual({ host: '127.0.0.1', sockets: ['11', '12', '16'] });
    expect(findListeners(0x1f92, proc)).toEqual({ host: '::1', sockets: ['17'] });
    expect(findListeners(0x1f93, proc)).toBeUndefined();
  });

  test('at another address do not count: who listens at loopback may be another program', async () => {
    const port = await listen('127.0.0.2');
    expect(findListeners(port)).toBeUndefined();
    const there = await listen('127.0.0.1', port);
    expect(findListeners(there)?.sockets).toHaveLength(1);
  });

  test('belong to the body only if all of them do', async () => {
    const port = await listen('127.0.0.1');
    const { sockets = [] } = findListeners(port) ?? {};
    const owners = new SocketOwners(me);
    expect(owners.own(sockets)).toBe(true);
    expect(owners.own([...sockets, '1'])).toBe(false);
  });
});

describe('a port of a body that shares the network of its machine', () => {
  const settings = { ...me, bodyId: 'body', door: '/run/door' } as never;

  test('is connected to if a process of the body listens there', async () => {
    const port = await listen('127.0.0.1');
    const socket = await new BodyPorts(settings, {}).connect(port);
    closing.push(() => socket.destroy());
    expect(socket.remotePort).toBe(port);
  });

  test('over IPv6 as well', async () => {
    const port = await listen('::1').catch(() => 0);
    if (port === 0) return;
    const socket = await new BodyPorts(settings, {}).connect(port);
    closing.push(() => socket.destroy());
    expect(socket.remoteAddress).toBe('::1');
  });

  test('is refused by the spec before anything listens', () => {
    const ports = new BodyPorts(settings, { ports: [80] });
    expect(() => ports.check('81')).toThrow(/allows only 80/);
    expect(() => ports.check('0')).toThrow(/1 to 65535/);
    expect(() => ports.check('80x')).toThrow(/1 to 65535/);
    expect(ports.check('80')).toBe(80);
  });
});
