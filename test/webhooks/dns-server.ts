/** A DNS server for tests, which answers as the test says. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { onTestFinished } from 'vitest';

/** Addresses for a name and a type; the number counts the questions for this name and type, from 1 on. */
export type DnsAnswer = (name: string, type: 'A' | 'AAAA', count: number) => readonly string[];

const HEADER_BYTES = 12;
/** QR, RD and RA. */
const ANSWER_FLAGS = 0x8180;
const TYPES = new Map([
  [1, 'A'],
  [28, 'AAAA'],
] as const);

/** Returns its address, as `setServers` takes it, and the questions that it got. */
export async function startDnsServer(answer: DnsAnswer): Promise<{ address: string; questions: string[] }> {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, HEADER_BYTES) + 5;
    const type = TYPES.get(query.readUInt16BE(end - 4) as 1 | 28) ?? 'A';
    const question = `${readName(query)} ${type}`;
    questions.push(question);
    const count = questions.filter((one) => one === question).length;
    const records = answer(readName(query), type, count).map(toRecord);
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    for (const [at, value] of [ANSWER_FLAGS, 1, records.length].entries())
      header.writeUInt16BE(value, 2 + 2 * at);
    socket.send(Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, questions };
}

function readName(query: Buffer): string {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; query[at]; at += 1 + (query[at] ?? 0))
    labels.push(query.toString('ascii', at + 1, at + 1 + (query[at] ?? 0)));
  return labels.join('.').toLowerCase();
}

/** A record for the name of the question, which no resolver may keep. */
function toRecord(address: string): Buffer {
  const data = isIPv6(address) ? toIpv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const start = Buffer.from('c00c00000001000000000000', 'hex');
  start.writeUInt16BE(isIPv6(address) ? 28 : 1, 2);
  start.writeUInt16BE(data.length, 10);
  return Buffer.concat([start, data]);
}

function toIpv6Bytes(address: string): Buffer {
  const [left = [], right = []] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((side) => side.split(':').filter(Boolean));
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
