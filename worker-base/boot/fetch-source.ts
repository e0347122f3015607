/**
 * Fills an empty workspace with a git repository before the agent is started.
 *
 * git runs as the agent's user and connects to a proxy on the loopback, which adds the credential to each request: the
 * credential is in no argument, environment, file or URL of a process that the agent could see, and the proxy ends before the
 * agent starts. A folder in the workspace marks a fetch that has not ended. It is created first and removed last, so that
 * the next body of a worker that was killed meanwhile starts again.
 */
import { spawn } from 'node:child_process';
import { takeTail } from '../../src/model/values/cut.ts';
import type { GitSource } from '../../src/model/worker/workspace.ts';
import { isFillDue } from '../archive/fill.ts';
import { FILL_MARKER } from '../archive/pack.ts';
import type { Log } from '../log.ts';
import type { Privileges } from '../sandbox/privileges.ts';
import type { WrapperSettings } from '../settings.ts';
import { CannotStart } from '../workload.ts';

/** As sysexits.h: the service is unavailable. */
const EX_UNAVAILABLE = 69;
const ERROR_CHARACTERS = 1000;
const ERROR_LINES = 5;
/** A server that sends no byte for this long has failed. */
const STALL_MS = 120_000;

/**
 * Arguments: the proxy's URL, the real one, the ref or nothing, the depth or nothing. The marker outlives everything that is
 * not complete. Nothing of the address of the proxy stays in the repository.
 */
const SCRIPT = `set -eu
m=${FILL_MARKER} from=$1 url=$2 ref=$3 depth=$4
find . -mindepth 1 -maxdepth 1 ! -name "$m" -exec rm -rf -- {} +
rm -rf -- "$m"
mkdir "$m"
set --
[ -z "$depth" ] || set -- --depth "$depth"
commit=
case $ref in
  *[!0-9a-f]*) set -- "$@" --branch "$ref" ;;
  ????????????????????????????????????????) commit=$ref ;;
  '') ;;
  *) set -- "$@" --branch "$ref" ;;
esac
git -c core.logAllRefUpdates=false clone -q --no-checkout "$@" -- "$from" "$m/clone"
git -C "$m/clone" remote set-url origin "$url"
if [ -n "$commit" ] && ! git -C "$m/clone" cat-file -e "$commit^{commit}" 2>/dev/null; then
  git -C "$m/clone" fetch -q \${depth:+--depth "$depth"} "$from" "$commit"
  rm -f "$m/clone/.git/FETCH_HEAD"
fi
mv "$m/clone/.git" .git
if [ -n "$commit" ]; then git checkout -q --detach "$commit"
elif git rev-parse -q --verify HEAD >/dev/null; then git reset -q --hard; fi
rm -rf -- "$m"
`;

/** Fetches the source, unless the workspace has files; throws `CannotStart`. False if `signal` ended it. */
export async function fetchSource(options: {
  source: GitSource;
  /** A token, or `user:password`. */
  credential: string | undefined;
  privileges: Privileges;
  settings: Pick<WrapperSettings, 'workspace' | 'bodyId' | 'inherited'>;
  signal: AbortSignal;
  log: Log;
}): Promise<boolean> {
  const { source, credential, privileges, settings, signal, log } = options;
  const { workspace } = settings;
  if (!isFillDue(workspace)) return !signal.aborted;
  const { startModelProxy } = await import('../model-proxy/proxy.ts');
  const began = performance.now();
  const proxy = await startModelProxy({
    upstream: source.url,
    credentials: credential === undefined ? [] : [toHeader(credential)],
    stallMs: STALL_MS,
    env: process.env,
    log,
  }).catch((error: Error) => {
    throw failed(source.url, error.message);
  });
  try {
    const args = [proxy.url, source.url, source.ref ?? '', String(source.depth ?? '')];
    const argv = privileges.helperCommand(['sh', '-c', SCRIPT, 'sh', ...args]);
    const { code, said } = await run(argv, settings, signal);
    if (signal.aborted) return false;
    if (code !== 0)
      throw failed(source.url, lastLines(said.replaceAll(proxy.url, source.url)) || `git ended with ${code}`);
    log.info('workspace fetched', { url: source.url, ms: Math.round(performance.now() - began) });
    return true;
  } finally {
    await proxy.close();
  }
}

/** Servers of git expect Basic authentication, with any user name for a token. */
function toHeader(credential: string) {
  const pair = credential.includes(':') ? credential : `x-access-token:${credential}`;
  return { header: 'authorization', prefix: 'Basic ', value: Buffer.from(pair.trim()).toString('base64') };
}

const failed = (url: string, why: string) =>
  new CannotStart(
    EX_UNAVAILABLE,
    `The workspace could not be fetched from ${url}: ${why}`,
    'WorkspaceSourceFailed',
  );

/** What git reported, on one line. */
const lastLines = (said: string) =>
  said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-ERROR_LINES)
    .join(' | ');

function run(
  [program = '', ...args]: string[],
  { workspace: cwd, bodyId, inherited }: Pick<WrapperSettings, 'workspace' | 'bodyId' | 'inherited'>,
  signal: AbortSignal,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const env = {
      // By which the process runtime finds every process of a body.
      ...(bodyId !== undefined && { WORKER_BODY_ID: bodyId }),
      PATH: inherited.PATH,
      LC_ALL: 'C',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: 'true',
      no_proxy: '*',
    };
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    // The body ends, and its runtime ends what git has started.
    const stop = () => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = takeTail(said + text, ERROR_CHARACTERS);
    });
    child.once('error', (error) => resolve({ code: null, said: error.message }));
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve({ code, said });
    });
  });
}
