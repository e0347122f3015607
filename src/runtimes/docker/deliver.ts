import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { Fault, type FaultCode } from '../../model/index.ts';
import { type DockerClient, EngineRefusal } from './client.ts';

/**
 * The path at which the wrapper creates the pipe for its secrets; it is in memory, see the container's
 * mounts.
 */
export const SECRETS_PIPE = '/run/worker/secrets.pipe';

/**
 * Reads the content from stdin, so that it is in no argument and no variable. If the pipe disappears between
 * the check and the write, the shell creates a file that only the wrapper can read, and removes it.
 */
const TAKE = [
  'umask 077',
  '[ -p "$0" ] || exit 3',
  'cat > "$0" || exit 4',
  '[ -p "$0" ] || ! [ -e "$0" ] || { rm -f "$0"; exit 3; }',
].join('\n');
const NOT_WAITING = 3;
/** Interval of checks of an exec whose streams have ended, in milliseconds. */
const POLL_MS = 20;
/** Maximum bytes of the failed shell's output in the error. */
const ERROR_LENGTH = 500;

/**
 * Writes all of `content` into the pipe of a waiting wrapper, through an exec as the wrapper's user. If the
 * wrapper does not wait, throws a Fault `conflict`; otherwise the client's deadline ends the call and its
 * connection.
 */
export async function deliverToContainer(
  client: DockerClient,
  { id, user }: { id: string; user: string },
  content: string,
): Promise<void> {
  const refuse = (code: FaultCode, why: string, cause?: unknown) =>
    new Fault(code, `Secrets could not be passed to body ${id.slice(0, 12)}: ${why}`, { cause });
  const { code, output } = await client
    .call('deliver', (docker, signal) => take(docker, { id, user }, content, signal))
    .catch((error: unknown) => {
      const status = error instanceof EngineRefusal ? error.status : undefined;
      if (status === 404) throw refuse('not_found', 'it does not exist any more.', error);
      if (status === 409) throw refuse('conflict', 'it is not running.', error);
      throw error;
    });
  if (code === NOT_WAITING) throw refuse('conflict', 'it is not waiting for them.');
  if (code !== 0) throw refuse('conflict', `its shell exited with code ${code}. ${output}`.trim());
}

/** Runs the shell and returns its exit code and output. */
async function take(
  docker: Docker,
  { id, user }: { id: string; user: string },
  content: string,
  abortSignal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
  const exec = await docker.getContainer(id).exec({
    _body: { User: user, Cmd: ['/bin/sh', '-c', TAKE, SECRETS_PIPE], ...streams },
    abortSignal,
  } as Docker.ExecCreateOptions);
  const output = await exchange(exec, content, abortSignal);
  for (;;) {
    // The streams end just before the engine records the exit code. The deadline bounds the loop.
    const { Running, ExitCode } = await exec.inspect({ abortSignal });
    if (!Running || abortSignal.aborted) return { code: ExitCode, output };
    await delay(POLL_MS);
  }
}

/** Sends the content, ends it, and reads the answer until the program has ended. */
async function exchange(exec: Docker.Exec, content: string, signal: AbortSignal): Promise<string> {
  const options = { _body: { Detach: false, Tty: false }, hijack: true, stdin: true, abortSignal: signal };
  const stream = (await exec.start(options as Docker.ExecStartOptions)) as Duplex;
  // The deadline came first, and nothing else has a reference to this connection.
  if (signal.aborted) stream.destroy();
  const abort = () => stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      let words = '';
      // Always read: an unread answer would block the engine.
      stream.on('data', (part: Buffer) => {
        if (words.length < ERROR_LENGTH) words += part.toString('latin1').replace(/[^\x20-\x7e]+/g, ' ');
      });
      stream.on('error', reject);
      stream.once('end', () => resolve(words.slice(0, ERROR_LENGTH)));
      stream.once('close', () => resolve(words.slice(0, ERROR_LENGTH)));
      stream.end(content);
    });
  } finally {
    signal.removeEventListener('abort', abort);
    stream.destroy();
  }
}
