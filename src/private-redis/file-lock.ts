/**
 * Locks on files that the kernel keeps, and releases when the last process that has the file open ends, even by SIGKILL.
 *
 * Node has no call for them, so `flock` (util-linux, busybox) or perl sets the lock on a descriptor of ours. Locks of this
 * kind belong to the open file: a child that inherits the descriptor holds the lock as long as it lives.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Fault } from '../model/index.ts';

export interface FileLock {
  /** Give it to a child to let the child hold the lock, too. */
  fd: number;
  /** Closes the file; the lock ends with its last holder. */
  release(): void;
}

const PERL = 'open(my $file, "+<&=", 3) or exit 2; exit(flock($file, $ARGV[0]) ? 0 : 1)';
const HELD = 1;
/** Values of flock(2): shared or exclusive, and do not wait. */
const FLAGS = { shared: '5', exclusive: '6' };
type Mode = keyof typeof FLAGS;

/** Locks a file, which is made if it is missing; `undefined` if another process holds it. */
export function lockFile(path: string, mode: Mode): FileLock | undefined {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  let open = false;
  try {
    open = setLock(fd, mode);
  } finally {
    if (!open) closeSync(fd);
  }
  if (!open) return undefined;
  return {
    fd,
    release() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

function setLock(fd: number, mode: Mode): boolean {
  const ways: [string, string[]][] = [
    ['flock', ['-n', mode === 'shared' ? '-s' : '-x', '3']],
    ['perl', ['-e', PERL, FLAGS[mode]]],
  ];
  for (const [program, args] of ways) {
    const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
    if (!error && status !== null) return status !== HELD;
  }
  throw new Fault(
    'unavailable',
    'A private Redis needs the program flock (of util-linux or busybox) or perl, to lock its folder. Install one of them, or set REDIS_URL.',
  );
}
