/**
 * Settings that are valid and yet do not do what the operator wants: names that resemble a setting's, and files and
 * folders that are missing or cannot be used. They stop no start, because a folder may be mounted later.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isLoopback } from '../http/access/hosts.ts';
import type { Settings } from './settings.ts';
import { findSimilarNames } from './similar-names.ts';
import type { Environment } from './variable.ts';
import { VARIABLES } from './variables.ts';

export interface SettingProblem {
  /** The variable. */
  name: string;
  /** What is wrong, without its value if that may be secret. */
  found: string;
  advice: string;
}

export type Checked = Pick<
  Settings,
  | 'secretsDir'
  | 'handlersDir'
  | 'checkpointDir'
  | 'imageDiskPath'
  | 'workerBuildCa'
  | 'workerRedisUrl'
  | 'runtime'
>;

/** The problems that can be seen from here, in the order of the settings. */
export async function findSettingProblems(settings: Checked, env: Environment): Promise<SettingProblem[]> {
  const known = Object.values(VARIABLES).map(({ name }) => name);
  const similar = findSimilarNames(env, known).map(({ name, like }) => ({
    name,
    found: 'is not a setting, and has no effect',
    advice: `Did you mean ${like}?`,
  }));
  const { secretsDir, handlersDir, checkpointDir, imageDiskPath, workerBuildCa } = settings;
  const folders = [
    readable('SECRETS_DIR', secretsDir, 'no worker gets a secret'),
    readable('HANDLERS_DIR', handlersDir, 'no task finds its function'),
    readable('IMAGE_DISK_PATH', imageDiskPath, 'the free bytes of the disk of the engine are not known'),
    readable('WORKER_BUILD_CA', workerBuildCa, 'no image can be built', 'file'),
    checkpointDir.startsWith('/') ? writable('CHECKPOINT_DIR', checkpointDir) : undefined,
  ];
  const found = (await Promise.all(folders)).filter((problem) => problem !== undefined);
  return [...similar, ...found, ...bodyRedisProblems(settings)];
}

async function readable(
  name: string,
  path: string | undefined,
  effect: string,
  kind: 'folder' | 'file' = 'folder',
): Promise<SettingProblem | undefined> {
  if (path === undefined) return undefined;
  const isFolder = kind === 'folder';
  const why = await whyNot(path, isFolder ? constants.R_OK | constants.X_OK : constants.R_OK, isFolder);
  if (why === undefined) return undefined;
  const advice = `Make that ${kind}, or correct ${name}.`;
  return { name, found: `is ${path}, which ${why}; ${effect}`, advice };
}

/** The folder is made when it is first needed, so the closest one that exists counts. */
async function writable(name: string, path: string): Promise<SettingProblem | undefined> {
  let folder = path;
  let why = await whyNot(folder, constants.W_OK | constants.X_OK, true);
  while (why === MISSING && dirname(folder) !== folder) {
    folder = dirname(folder);
    why = await whyNot(folder, constants.W_OK | constants.X_OK, true);
  }
  if (why === undefined) return undefined;
  const where = folder === path ? 'which' : `whose parent ${folder}`;
  return {
    name,
    found: `is ${path}, ${where} ${why}; no checkpoint can be saved`,
    advice: `Correct ${name}, or its owner, mode or mount.`,
  };
}

const MISSING = 'does not exist';

async function whyNot(path: string, mode: number, isFolder: boolean): Promise<string | undefined> {
  try {
    if ((await stat(path)).isDirectory() !== isFolder) return isFolder ? 'is not a folder' : 'is not a file';
    await access(path, mode);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return MISSING;
    if (code === 'EROFS') return 'is on a read-only file system';
    return code === 'EACCES' ? 'does not allow this user to use it' : `cannot be used (${code})`;
  }
}

function bodyRedisProblems({ workerRedisUrl, runtime }: Checked): SettingProblem[] {
  if (runtime !== 'docker' || workerRedisUrl === undefined) return [];
  const { hostname } = new URL(workerRedisUrl);
  if (!isLoopback(hostname)) return [];
  return [
    {
      name: 'WORKER_REDIS_URL',
      found: `leads to ${hostname}, where a container reaches only itself`,
      advice: 'Name an address of this machine that containers reach, or unset it.',
    },
  ];
}
