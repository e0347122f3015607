/**
 * Starts the file helper of a body with the first request for files, and passes requests on to it.
 *
 * The helper is a program of its own because files have to be read and written as the agent's user, with the agent's permissions,
 * and because what it does may block. Invariants: one runs at a time; a killed one is replaced with the next request;
 * it never outlives the wrapper.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Fault } from '../../src/model/values/fault.ts';
import type { Log } from '../log.ts';
import type { AgentEnvironment } from '../workload.ts';
import type { FileHelperSettings } from './helper-options.ts';

/** The helper ends after this time in milliseconds without requests: it takes about 45 MB. */
const IDLE_MS = 60_000;
/** A helper that does not listen after this time in milliseconds is killed. */
const START_MS = 30_000;

/** How often a transfer shows that the worker is in use, in milliseconds. */
const TOUCH_MS = 5000;
/** Requests that follow changes, or describe files. */
const LOOKS = /^\/watch\/|[?&](?:list|stat)\b/;

export interface FileHelperOptions {
  environment: Pick<AgentEnvironment, 'privileges' | 'touch'>;
  workspace: string;
  /** The PATH of the helper. */
  path: string;
  log: Pick<Log, 'warn'>;
  idleMs?: number;
}

export interface HelperRequest {
  headers?: NodeJS.Dict<string | string[]>;
  body?: Readable | Buffer | undefined;
  signal?: AbortSignal;
}

interface Running {
  child: ChildProcess;
  agent: Agent;
  address: string;
  secret: string;
}

export class FileHelper {
  readonly #options: FileHelperOptions;
  #running: Promise<Running> | undefined;
  #closed = false;
  /** Requests that are not over. */
  #open = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: FileHelperOptions) {
    this.#options = options;
  }

  /**
   * Sends a request; resolves with the response, whatever its status. Throws a Fault: `unsupported` on systems other than Linux,
   * `unavailable` if the helper ends in the middle, `capacity` if it cannot be started.
   */
  async request(method: string, path: string, options: HelperRequest = {}): Promise<IncomingMessage> {
    if (process.platform !== 'linux')
      throw new Fault('unsupported', 'Files of workers can only be accessed on Linux.');
    const { environment } = this.#options;
    // A worker with a long transfer is not idle; one whose files are only looked at is.
    const isTransfer = method !== 'HEAD' && !LOOKS.test(path);
    if (isTransfer) environment.touch();
    const active = isTransfer ? setInterval(() => environment.touch(), TOUCH_MS) : undefined;
    clearTimeout(this.#idle);
    this.#open += 1;
    const leave = () => {
      clearInterval(active);
      this.#leave();
    };
    try {
      const response = await this.#send(method, path, options).catch((error: unknown) => {
        // The helper was killed a moment ago, and has read nothing of the request.
        if (!(error instanceof NotBegun) || options.signal?.aborted) throw error;
        return this.#send(method, path, options);
      });
      response.once('close', leave);
      return response;
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #send(
    method: string,
    path: string,
    { headers, body, signal }: HelperRequest,
  ): Promise<IncomingMessage> {
    const promise = this.#run();
    const running = await promise;
    return await new Promise((resolve, reject) => {
      let begun = false;
      const request = ask({
        agent: running.agent,
        socketPath: running.address,
        method,
        path,
        headers: {
          ...headers,
          host: 'files',
          authorization: `Bearer ${running.secret}`,
          // Nothing is sent before the helper is known to be there.
          expect: '100-continue',
        },
        ...(signal && { signal }),
      });
      request.on('continue', () => {
        begun = true;
        if (body === undefined || Buffer.isBuffer(body)) {
          request.end(body);
          return;
        }
        body.pipe(request);
        // A stream that was cut must not look complete.
        body.once('close', () => body.readableEnded || request.destroy(new Error('the client has gone')));
      });
      request.on('response', (response) => {
        // The rest of an upload that is refused is not sent.
        if (body && !Buffer.isBuffer(body) && !body.readableEnded) {
          body.unpipe(request);
          response.once('end', () => request.destroy());
        }
        resolve(response);
      });
      request.on('error', (cause) => {
        if (!begun && !signal?.aborted) {
          if (this.#running === promise) this.#running = undefined;
          kill(running);
        }
        reject(begun || signal?.aborted ? helperEnded(cause) : new NotBegun(cause));
      });
      request.flushHeaders();
    });
  }

  #leave(): void {
    this.#open -= 1;
    if (this.#open > 0 || this.#closed) return;
    this.#idle = setTimeout(() => {
      const running = this.#running;
      this.#running = undefined;
      void running?.then(kill).catch(() => {});
    }, this.#options.idleMs ?? IDLE_MS);
    this.#idle.unref();
  }

  /** Ends it; no other is started. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    void this.#running?.then(kill).catch(() => {});
  }

  #run(): Promise<Running> {
    if (this.#closed) throw new Fault('conflict', 'The body ends.');
    if (this.#running) return this.#running;
    const running = this.#start(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #start(gone: () => void): Promise<Running> {
    const { environment, workspace, path, log } = this.#options;
    const { privileges } = environment;
    const address = `\0worker-manager-files-${randomBytes(16).toString('hex')}`;
    const secret = randomBytes(32).toString('base64url');
    const [program = '', ...args] = privileges.helperCommand([process.execPath, helperProgram()]);
    // Without the marks of the body in its environment: it is not one of the agent's processes, which are killed with the agent.
    const child = spawn(program, args, { cwd: '/', env: { PATH: path }, detached: true, stdio: 'pipe' });
    child.stdin.on('error', () => {});
    let errors = '';
    child.stderr.on('data', (part: Buffer) => {
      errors = (errors + part.toString()).slice(-4096);
      if (running) log.warn('the file helper reports an error', { error: errors.slice(-1024) });
    });
    let running: Running | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('error', (error) => {
        gone();
        reject(error);
      });
      child.once('exit', (code, signal) => {
        gone();
        running?.agent.destroy();
        reject(new Error(`it ended with ${signal ?? code}: ${errors.trim().slice(-500)}`));
      });
    });
    const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
    const options: FileHelperSettings = { workspace, address, secret, group: privileges.group };
    child.stdin.write(`${JSON.stringify(options)}\n`);
    try {
      await ready;
    } catch (cause) {
      const message = `The program that accesses the files of the worker could not be started: ${(cause as Error).message}`;
      throw new Fault('capacity', `${message.trim()}. Try again later.`, { cause });
    } finally {
      clearTimeout(late);
    }
    // Nothing of this keeps the wrapper running.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr])
      (pipe as unknown as { unref?(): void }).unref?.();
    running = { child, agent: new Agent({ keepAlive: true }), address, secret };
    return running;
  }
}

const kill = ({ child }: Running) => child.kill('SIGKILL');

const ENDED = 'The program that accesses the files of the worker was ended. Try again.';
const helperEnded = (cause: unknown) => new Fault('unavailable', ENDED, { cause });

/** The helper has read nothing of the request. */
class NotBegun extends Fault {
  constructor(cause: unknown) {
    super('unavailable', ENDED, { cause });
  }
}

/** Beside the wrapper in its bundle; in a checkout, the source. */
function helperProgram(): string {
  const bundled = join(import.meta.dirname, 'files.mjs');
  return existsSync(bundled) ? bundled : join(import.meta.dirname, 'helper', 'main.ts');
}
