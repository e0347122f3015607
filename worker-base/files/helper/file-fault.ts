import { Fault } from '../../../src/model/values/fault.ts';

/** The reasons of Faults about files, and what each is for people. */
const FAULTS: Record<string, [code: Fault['code'], reason: string, message: string]> = {
  ENOENT: ['not_found', 'no_file', 'does not exist'],
  ENOTDIR: ['conflict', 'not_a_directory', 'is not a directory, or a part of its path is none'],
  EISDIR: ['conflict', 'is_a_directory', 'is a directory'],
  ENOTEMPTY: ['conflict', 'not_empty', 'is a directory that is not empty'],
  EEXIST: ['conflict', 'exists', 'exists already'],
  EACCES: ['conflict', 'permission_denied', "is not accessible to the agent's user"],
  EPERM: ['conflict', 'permission_denied', "may not be changed by the agent's user"],
  EROFS: ['conflict', 'read_only', 'is on a file system that is read-only'],
  ELOOP: ['conflict', 'symlink_loop', 'has too many symbolic links in its path'],
  EXDEV: ['conflict', 'other_file_system', 'is on another file system than its new place'],
  EINVAL: ['conflict', 'invalid_move', 'cannot be moved into itself'],
  ETXTBSY: ['conflict', 'busy', 'is a program that runs'],
  EBUSY: ['conflict', 'busy', 'is in use'],
  ENAMETOOLONG: ['invalid_command', 'invalid_path', 'has a name that is too long'],
  ENOSPC: ['capacity', 'workspace_full', 'could not be written, because the workspace is full'],
  EDQUOT: ['capacity', 'workspace_full', 'could not be written, because the workspace is full'],
  EFBIG: ['capacity', 'workspace_full', 'could not be written, because it is too large'],
  EMFILE: ['capacity', 'too_many_open', 'could not be opened, because too many files are open'],
  ENFILE: ['capacity', 'too_many_open', 'could not be opened, because too many files are open'],
};

/** The Fault for an error of the system; anything else is returned as it is. */
export function toFileFault(error: unknown, path: string): unknown {
  if (error instanceof Fault || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const known = FAULTS[code ?? ''];
  if (known) {
    const [fault, reason, text] = known;
    return new Fault(fault, `${showPath(path)} ${text}.`, { reason, cause: error });
  }
  if (code && /^E[A-Z0-9]+$/.test(code))
    return new Fault('unavailable', `${showPath(path)} could not be used: the system reports ${code}.`, {
      cause: error,
    });
  return error;
}

/** A path for messages, percent-encoded as in URLs. */
export const showPath = (path: string): string => (path === '' ? 'The workspace' : path.slice(0, 512));

export const fileFault = (code: keyof typeof FAULTS, path: string): unknown =>
  toFileFault(Object.assign(new Error(code), { code }), path);

/** A path, or a symbolic link in it, leads out of the workspace. */
export const outside = (path: string): Fault =>
  new Fault(
    'invalid_command',
    `${showPath(path)} is outside of the workspace. Only files in the workspace can be accessed.`,
    { reason: 'outside_workspace', issues: [{ path: 'path', message: 'must be in the workspace' }] },
  );
