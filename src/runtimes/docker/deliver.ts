import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { Fault } from '../../model/index.ts';
import { RuntimeDown } from '../runtime.ts';
import type { DockerClient } from './client.ts';

/** Where the wrapper makes the pipe in which it waits for its secrets: in memory, see the container's mounts. */
export const SECRETS_PIPE = '/run/worker/secrets.pipe';

/**
 * What takes the content from its stdin: the content is in no argument and no variable. Where the pipe goes away
 * between the look and the write, the shell makes a file that nobody but the wrapper may read, and removes it.
 */
const TAKE = [
  'umask 077',
  '[ -p "$0" ] || exit 3',
  'cat > "$0" || exit 4',
  '[ -p "$0" ] || ! [ -e "$0" ] || { rm -f "$0"; exit 3; }',
].join('\n');
const NOT_WAITING = 3;
/** Bytes of what the shell says when it fails, for the error. */
const WORDS = 500;

/**
 * Writes all of `content` into the pipe of a wrapper that waits for it, through an exec of its own user. One that does
 * not wait is a Fault `conflict`; the client's deadline ends everything else, and with it the connection.
 */
export async function deliver(
  client: DockerClient,
  { id, user }: { id: string; user: string },
  content: string,
): Promise<void> {
  const { code, words } = await client.call('deliver', async (docker, abortSignal) => {
    const exec = await docker.getContainer(id).exec({
      _body: {
        User: user,
        Cmd: ['/bin/sh', '-c', TAKE, SECRETS_PIPE],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
      },
      abortSignal,
    } as Docker.ExecCreateOptions);
    const said = await converse(exec, content, abortSignal);
    const { ExitCode } = await exec.inspect({ abortSignal });
    return { code: ExitCode, words: said };
  });
  if (code === 0) return;
  const name = id.slice(0, 12);
  if (code === NOT_WAITING)
    throw new Fault('conflict', `Body ${name} was not given its secrets: it does not wait for them now.`);
  throw new RuntimeDown(`Body ${name} was not given its secrets: exit code ${code}. ${words}`.trim());
}

/** Sends the content, ends it, and reads what is answered until the program has ended. */
async function converse(exec: Docker.Exec, content: string, signal: AbortSignal): Promise<string> {
  const options = { _body: { Detach: false, Tty: false }, hijack: true, stdin: true, abortSignal: signal };
  const stream = (await exec.start(options as Docker.ExecStartOptions)) as Duplex;
  // The deadline came first: nobody else knows of this connection.
  if (signal.aborted) stream.destroy();
  const abort = () => stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      let words = '';
      // Always read: an answer that nobody takes would hold up the engine.
      stream.on('data', (part: Buffer) => {
        if (words.length < WORDS) words += part.toString('latin1').replace(/[^\x20-\x7e]+/g, ' ');
      });
      stream.on('error', reject);
      stream.once('end', () => resolve(words.slice(0, WORDS)));
      stream.once('close', () => resolve(words.slice(0, WORDS)));
      stream.end(content);
    });
  } finally {
    signal.removeEventListener('abort', abort);
    stream.destroy();
  }
}
