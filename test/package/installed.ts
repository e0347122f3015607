/** The packed project, installed globally into an empty folder, as a user has it without the checkout. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** Milliseconds for a manager to lead. */
const START_MS = 30_000;
/** Bytes of a listing of the package's files. */
const BUFFER = 32 * 1024 * 1024;

export interface PackedFile {
  path: string;
  size: number;
}

export interface InstalledManager {
  log(): string;
  /** Shuts it down and waits for its end. */
  stop(): Promise<void>;
}

export interface Installed {
  /** The files of the package. */
  files: PackedFile[];
  /** Bytes of the archive. */
  size: number;
  /** The folder whose `node_modules` has the package. */
  folder: string;
  /** A home without any file. */
  home: string;
  /** The PATH of what is run. */
  path: string;
  /** Runs a program that the installation put on the PATH, or Node. */
  run(argv: [string, ...string[]], env?: Record<string, string>): Promise<{ stdout: string; stderr: string }>;
  /** Starts `wm serve`; resolves when it leads, and rejects with its log if it ends before. */
  serve(env: Record<string, string>): Promise<InstalledManager>;
  remove(): Promise<void>;
}

/** Packs and installs with npm; packages come from its cache if they are there. */
export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'wm-package-'));
  const pack = ['pack', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse((await run('npm', pack, { cwd: ROOT, maxBuffer: BUFFER })).stdout);
  const tarball = join(folder, packed.filename);
  const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', '--global', '--prefix', folder, ...quick, tarball], { cwd: folder });
  const home = join(folder, 'home');
  await mkdir(home);
  // Nothing of the checkout, whose Node is alone in its folder.
  const folders = [join(folder, 'bin'), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'];
  const path = folders.join(delimiter);
  const options = (env: Record<string, string>) => ({ cwd: folder, env: { PATH: path, HOME: home, ...env } });
  return {
    files: packed.files,
    size: packed.size,
    folder: join(folder, 'lib'),
    home,
    path,
    run: ([program, ...args], env = {}) => run(program, args, { ...options(env), maxBuffer: BUFFER }),
    serve: (env) => leading(spawn('wm', ['serve'], { ...options(env), stdio: ['ignore', 'pipe', 'pipe'] })),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Installs a release of Node from npm: the folder of its binary, or why there is none. */
export async function installNode(
  folder: string,
  version: string,
): Promise<{ bin: string } | { error: string }> {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(folder, 'node-of-npm');
  try {
    const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error'];
    await run('npm', ['install', '--prefix', prefix, ...quick, `${name}@${version}`]);
    return { bin: join(prefix, 'node_modules', name, 'bin') };
  } catch (error) {
    return { error: `npm cannot install ${name}@${version}: ${(error as Error).message.slice(-500)}` };
  }
}

function leading(manager: ChildProcess): Promise<InstalledManager> {
  let log = '';
  const ended = new Promise<void>((resolve) => manager.once('close', () => resolve()));
  const stop = async () => {
    manager.kill('SIGTERM');
    await ended;
  };
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`The installed manager does not lead; its output:\n${log}`));
    const late = setTimeout(() => void stop().then(fail), START_MS);
    void ended.then(fail);
    for (const stream of [manager.stdout, manager.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (!log.includes('"recovered"')) return;
        clearTimeout(late);
        resolve({ log: () => log, stop });
      });
  });
}
