/**
 * What has changed in a workspace, as git shows it: tracked and untracked files, without those that git ignores.
 *
 * git runs with the rights of a client's command, so that the repository's configuration, which the agent can write, cannot
 * start a program that the agent may not run. The repository is not changed: the index and the objects that are needed
 * for untracked files are in a temporary folder.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Fault } from '../../src/model/values/fault.ts';
import type { ChangesFormat } from '../../src/model/worker/archive-format.ts';
import type { AgentEnvironment } from '../workload.ts';
import { startHelper } from './helper-process.ts';

/** As a shell: not executable, and not found. */
const NO_GIT = new Set([126, 127]);
const NO_REPOSITORY = 3;

/** Arguments: the commit to compare with or nothing, the format, a folder to create. Uses only programs of every image. */
const SCRIPT = `set -eu
base=$1 format=$2 tmp=$3
cd -P .
git --version >/dev/null 2>&1 || exit 127
mkdir -m 700 -- "$tmp" "$tmp/objects"
export GIT_CEILING_DIRECTORIES="$(cd .. && pwd -P)" GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 LC_ALL=C
if [ -e .git ]; then
  if [ "$format" = bundle ]; then
    git rev-parse -q --verify HEAD >/dev/null || exit ${NO_REPOSITORY}
    exec git bundle create -q - HEAD --all
  fi
  objects=$(git rev-parse --git-path objects) index=$(git rev-parse --git-path index)
  case $objects in /*) ;; *) objects=$PWD/$objects ;; esac
  [ -z "$base" ] || base=$(git rev-parse -q --verify "$base^{commit}" || :)
  [ -n "$base" ] || base=$(git rev-parse -q --verify HEAD || git hash-object -t tree /dev/null)
  [ ! -f "$index" ] || cat -- "$index" > "$tmp/index"
  export GIT_INDEX_FILE="$tmp/index" GIT_OBJECT_DIRECTORY="$tmp/objects" GIT_ALTERNATE_OBJECT_DIRECTORIES="$objects"
else
  [ "$format" != bundle ] || exit ${NO_REPOSITORY}
  export GIT_DIR="$tmp/git" GIT_WORK_TREE="$PWD"
  git init -q >/dev/null 2>&1
  base=$(git hash-object -t tree /dev/null)
fi
git add -A --ignore-errors -- . 2>/dev/null || :
case $format in
  stat) exec git -c core.quotePath=false diff --cached --no-color --no-ext-diff --stat=200 "$base" ;;
  names) exec git -c core.quotePath=false diff --cached --no-color --no-ext-diff --name-status "$base" ;;
  *) exec git diff --cached --no-color --no-ext-diff --binary "$base" ;;
esac`;

/**
 * Begins to write the changes since a commit, by default since HEAD, or everything if the workspace is not a repository. With
 * `bundle`, the repository itself. The stream is destroyed if git fails.
 */
export async function readChanges(
  environment: AgentEnvironment,
  { base, format }: { base: string; format: ChangesFormat },
  bodyId: string | undefined,
): Promise<Readable> {
  const { privileges } = environment;
  const { cwd, env } = environment.processOptions(undefined);
  const tmp = join(tmpdir(), `.worker-manager-${randomUUID()}`);
  const { child, ended } = startHelper({
    argv: privileges.runCommand(['/bin/sh', '-c', SCRIPT, 'sh', base, format, tmp]),
    cwd,
    bodyId,
    path: env.PATH,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = child.stdout as Readable;
  const clean = () =>
    startHelper({
      argv: privileges.helperCommand(['rm', '-rf', '--', tmp]),
      cwd: '/',
      bodyId,
      path: env.PATH,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  const { PassThrough } = await import('node:stream');
  const stream = new PassThrough();
  stream.on('error', () => {});
  stdout.pipe(stream, { end: false });
  stream.once('close', () => stdout.destroy());
  const over = ended.then((end) => {
    clean();
    if (end.code === 0) {
      stream.end();
      return;
    }
    const fault = toFault(end.code, end.lines.at(-1));
    stream.destroy(fault);
    throw fault;
  });
  over.catch(() => {});
  // A failure before the first byte is an error, and not a broken connection.
  await Promise.race([over, new Promise((resolve) => stdout.once('data', resolve))]);
  return stream;
}

function toFault(code: number | null, line: string | undefined): Fault {
  if (code !== null && NO_GIT.has(code))
    return new Fault(
      'unsupported',
      'The worker has no git that it may run: create it with the module GIT, and with git in allowed_commands if they are set.',
    );
  if (code === NO_REPOSITORY)
    return new Fault('conflict', 'The workspace is not a git repository with a commit.');
  return new Fault('conflict', `git could not read the workspace: ${line ?? `it ended with ${code}`}.`);
}
