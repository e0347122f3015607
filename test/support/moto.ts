/** Moto (https://docs.getmoto.org), a maintained server of the API of S3, from PyPI, and faults in front of it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const VERSION = '5.2.5';
const FOLDER = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', `moto-${VERSION}`);
const INSTALL_MS = 200_000;
const START_MS = 30_000;
/** What a slow server passes on between two pauses. */
const SLOW_BYTES = 1024 ** 2;
const SLOW_MS = 180;

/** The path of the server, or why it cannot be had on this machine. It is installed once for a checkout, which takes half a minute. */
async function findMoto(): Promise<{ program: string } | { missing: string }> {
  const program = join(FOLDER, 'bin', 'moto_server');
  if (existsSync(program)) return { program };
  try {
    await run('python3', ['-m', 'venv', FOLDER], { timeout: INSTALL_MS });
    const options = ['--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '10'];
    await run(join(FOLDER, 'bin', 'pip'), ['install', ...options, `moto[s3,server]==${VERSION}`], {
      timeout: INSTALL_MS,
    });
    return { program };
  } catch (error) {
    await rm(FOLDER, { recursive: true, force: true });
    const reason = String((error as { stderr?: string }).stderr || error).trim();
    return { missing: `moto cannot be installed from PyPI: ${reason.slice(-300)}` };
  }
}

/**
 * - a number, or an object: the status of the answer, without asking the server.
 * - `hang`: takes the request and does nothing.
 * - `cut-upload`: passes on a part of the request, and breaks both connections.
 * - `cut-download`: breaks the connection in the middle of the answer.
 * - `slow`: passes everything on in pieces, with a pause after each.
 * - `lose-reply`: passes the request on, and breaks the connection instead of answering.
 */
export type S3Fault =
  | number
  | { status: number; code: string }
  | 'hang'
  | 'slow'
  | 'cut-upload'
  | 'cut-download'
  | 'lose-reply';

export interface Moto {
  /** For CHECKPOINT_DIR: a folder in the bucket, behind the faults. */
  url: string;
  /** What happens to a request; nothing by default. */
  fail: (method: string, key: string) => S3Fault | undefined;
  /** The keys in the bucket. */
  keys(): Promise<string[]>;
  close(): Promise<void>;
}

export const MOTO_KEYS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'very secret words' };

/**
 * Starts one with an empty bucket; returns the reason if this machine has none. With `auth`, it checks credentials, and knows no
 * user.
 */
export async function startMoto({ auth = false }: { auth?: boolean } = {}): Promise<Moto | string> {
  const found = await findMoto();
  if ('missing' in found) return found.missing;
  const port = await freePort();
  const server = spawn(found.program, ['-H', '127.0.0.1', '-p', String(port)], {
    // Only the creation of the bucket is allowed without.
    env: { ...process.env, ...(auth && { INITIAL_NO_AUTH_ACTION_COUNT: '1' }) },
    stdio: 'ignore',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await listens(server, endpoint);
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  const s3 = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'bucket' }));
  const front = createServer((asked, answer) => pass(moto, port, asked, answer)).listen(0, '127.0.0.1');
  await new Promise((resolve) => front.once('listening', resolve));
  const moto: Moto = {
    url: `s3+http://127.0.0.1:${(front.address() as AddressInfo).port}/bucket/a%20folder`,
    fail: () => undefined,
    keys: async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'bucket' }));
      return Contents.map(({ Key = '' }) => Key);
    },
    close: async () => {
      s3.destroy();
      front.closeAllConnections();
      front.close();
      const exited = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await exited;
    },
  };
  return moto;
}

async function listens(server: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    try {
      await fetch(`${url}/moto-api/`);
      return;
    } catch (cause) {
      if (server.exitCode !== null || performance.now() > until)
        throw new Error('moto did not start', { cause });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function pass({ fail }: Moto, port: number, asked: IncomingMessage, answer: ServerResponse): void {
  const { method = '', url = '' } = asked;
  const key = decodeURIComponent(new URL(url, 'http://localhost').pathname.slice(1));
  const fault = fail(method, key);
  asked.on('error', () => {});
  if (fault === 'hang') return;
  if (typeof fault === 'number' || typeof fault === 'object') {
    const { status, code } = typeof fault === 'number' ? { status: fault, code: 'SlowDown' } : fault;
    asked.resume();
    asked.once('end', () => {
      answer.writeHead(status, { 'content-type': 'application/xml' });
      answer.end(`<Error><Code>${code}</Code><Message>A fault of the test.</Message></Error>`);
    });
    return;
  }
  // The host is a part of what was signed.
  const onward = request({ port, host: '127.0.0.1', method, path: url, headers: asked.headers }, (reply) => {
    if (fault === 'lose-reply') {
      reply.resume().once('end', () => answer.destroy());
      return;
    }
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    if (fault === 'cut-download')
      reply.once('data', (part: Buffer) => {
        answer.write(part.subarray(0, part.length / 2), () => answer.destroy());
      });
    else if (fault === 'slow') Readable.from(slowly(reply)).pipe(answer);
    else reply.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  if (fault === 'cut-upload')
    asked.once('data', (part: Buffer) => {
      onward.write(part.subarray(0, part.length / 2), () => {
        onward.destroy();
        answer.destroy();
      });
    });
  else if (fault === 'slow') Readable.from(slowly(asked)).pipe(onward);
  else asked.pipe(onward);
}

async function* slowly(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const part of source) {
    yield part;
    bytes += part.length;
    if (bytes < SLOW_BYTES) continue;
    bytes = 0;
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  }
}
