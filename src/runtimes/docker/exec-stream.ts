/** A connection to a port inside a container, carried by an exec of Node, which every image of a wrapper has. */
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { noDoor } from '../no-door.ts';
import { ActFailed } from '../runtime.ts';
import { type DockerClient, EngineRefusal } from './client.ts';

/**
 * Connects stdin and stdout to the port. The first byte shows that the connection is open. The end of stdin ends
 * that direction only; the end of the connection ends the program, with 0 only if it was not cut. The callback of the
 * empty write comes when everything before it has left the program.
 */
const BRIDGE = [
  "const s=require('net').connect({port:+process.argv[1],host:'127.0.0.1',allowHalfOpen:true});",
  "s.on('connect',()=>{process.stdout.write('+');process.stdin.pipe(s);s.pipe(process.stdout)});",
  "s.on('error',(e)=>{process.stderr.write(e.message);process.exit(7)});",
  "s.on('end',()=>process.stdout.write('',()=>process.exit(0)));",
  "process.stdout.on('error',()=>process.exit(8));process.stdin.on('error',()=>process.exit(9));",
].join('');
/** The header of a frame: the stream (1 stdout, 2 stderr), three zeros, and the length. */
const HEADER = 8;
const STDOUT = 1;
/** Interval of checks of an exec whose streams have ended, in milliseconds, and their count. */
const POLL_MS = 20;
const POLLS = 100;
const ERROR_LENGTH = 500;

export interface ExecPlace {
  id: string;
  user: string;
  port: number;
}

/** Resolves when the connection is open; throws a Fault `conflict` if nothing listens there. */
export async function connectByExec(client: DockerClient, place: ExecPlace): Promise<Duplex> {
  const { id, user, port } = place;
  try {
    return await client.call('connect', async (docker, abortSignal) => {
      const exec = await docker.getContainer(id).exec({
        _body: {
          User: user,
          Cmd: ['node', '-e', BRIDGE, String(port)],
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
        },
        abortSignal,
      } as Docker.ExecCreateOptions);
      // Without the signal, which would end the stream with the call.
      const start = { _body: { Detach: false, Tty: false }, hijack: true, stdin: true };
      const connection = (await exec.start(start as Docker.ExecStartOptions)) as Duplex;
      const stream = new ExecStream(connection, () => exitCode(exec));
      const abort = () => stream.destroy();
      abortSignal.addEventListener('abort', abort, { once: true });
      try {
        if (abortSignal.aborted) abort();
        await stream.opened;
      } finally {
        abortSignal.removeEventListener('abort', abort);
      }
      return stream;
    });
  } catch (error) {
    const status = error instanceof EngineRefusal ? error.status : undefined;
    if (status === 404) throw noDoor(id, 'not_found', 'it does not exist any more', error);
    if (status === 409) throw noDoor(id, 'conflict', 'it is not running', error);
    if (error instanceof NotOpen)
      throw noDoor(id, 'conflict', `its door is not open: ${error.message}`, error);
    throw error;
  }
}

class NotOpen extends ActFailed {}

/** The exit code once the engine has recorded it; `undefined` if it does not. */
async function exitCode(exec: Docker.Exec): Promise<number | undefined> {
  for (let poll = 0; poll < POLLS; poll += 1) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running) return ExitCode ?? undefined;
    await delay(POLL_MS);
  }
  return undefined;
}

/** The streams of an exec as one: what it reads from stdin, and its stdout without the engine's frames. */
class ExecStream extends Duplex {
  readonly opened: Promise<void>;
  readonly #connection: Duplex;
  readonly #exitCode: () => Promise<number | undefined>;
  #open = false;
  #settle: { resolve(): void; reject(error: Error): void };
  /** An incomplete header. */
  #header = Buffer.alloc(0);
  /** Remaining bytes of the current frame, and whether it is stdout. */
  #left = 0;
  #isOutput = false;
  #errors = '';

  constructor(connection: Duplex, code: () => Promise<number | undefined>) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.#exitCode = code;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#settle = { resolve, reject };
    promise.catch(() => {});
    // Until it is open, `opened` reports its errors.
    this.on('error', () => {});
    connection.on('data', (chunk: Buffer) => {
      if (!this.#take(chunk)) connection.pause();
    });
    connection.on('error', (error) => this.destroy(error));
    connection.once('end', () => void this.#ended());
    connection.once('close', () => void this.#ended());
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#connection.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#settle.reject(error ?? new Error('the connection was closed'));
    this.#connection.destroy();
    done(error);
  }

  /** Takes the frames of a chunk; false if the reader has enough for now. */
  #take(given: Buffer): boolean {
    let more = true;
    let chunk = this.#header.length > 0 ? Buffer.concat([this.#header, given]) : given;
    this.#header = Buffer.alloc(0);
    while (chunk.length > 0) {
      if (this.#left === 0) {
        if (chunk.length < HEADER) {
          this.#header = Buffer.from(chunk);
          break;
        }
        this.#isOutput = chunk[0] === STDOUT;
        this.#left = chunk.readUInt32BE(4);
        chunk = chunk.subarray(HEADER);
        continue;
      }
      const part = chunk.subarray(0, this.#left);
      this.#left -= part.length;
      chunk = chunk.subarray(part.length);
      if (!this.#isOutput) this.#errors = (this.#errors + part.toString('latin1')).slice(0, ERROR_LENGTH);
      else more = this.#passOn(part);
    }
    return more;
  }

  #passOn(part: Buffer): boolean {
    if (this.#open) return this.push(part);
    this.#open = true;
    this.#settle.resolve();
    return part.length > 1 ? this.push(part.subarray(1)) : true;
  }

  #endSeen = false;
  /** The engine ends the streams in the same way if the program was killed; its exit code shows the difference. */
  async #ended(): Promise<void> {
    if (this.#endSeen || this.destroyed) return;
    this.#endSeen = true;
    const why = this.#errors.replace(/[^\x20-\x7e]+/g, ' ').trim();
    if (!this.#open) {
      this.destroy(new NotOpen(why || 'the program that connects to it has ended'));
      return;
    }
    const code = await this.#exitCode().catch(() => undefined);
    if (code === 0) this.push(null);
    else this.destroy(new Error(`The connection to the container was cut. ${why}`.trim()));
  }
}
