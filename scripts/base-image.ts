/**
 * Provides the base image: Debian bookworm with Node 24, npm and CA certificates.
 *
 * `WORKER_BASE_IMAGE` if it is set; otherwise the official `node:24-bookworm-slim`, if it exists or can be pulled;
 * otherwise an equivalent built from Debian's archive and npm's packages of Node and npm, for machines that cannot
 * reach an image registry. The equivalent is tagged `worker-base:latest`, the name that the manager looks for.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { has, installWithApt } from './ensure-docker.ts';

const ROOT = join(import.meta.dirname, '..');
const OFFICIAL = 'node:24-bookworm-slim';
const SUITE = 'bookworm';
const PACKAGES = ['ca-certificates'];
/** Node 24 comes with npm 11. */
const NPM_VERSION = '11.21.2';
/** Increase it if the recipe below changes in a way that its inputs do not show. */
const RECIPE = 2;
/** A registry that sends nothing for this time counts as unreachable. */
const SILENCE_MS = 15_000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type PrintLine = (line: string) => void;

/** The name of an existing base image; throws a description of what was tried. */
export async function ensureBaseImage(docker: Docker, log: PrintLine): Promise<string> {
  const configured = process.env.WORKER_BASE_IMAGE;
  if (configured) {
    if (!(await isPresent(docker, configured))) await pull(docker, configured, log);
    return configured;
  }
  const own = ownName();
  if (await isPresent(docker, OFFICIAL)) return OFFICIAL;
  if (await isPresent(docker, own)) return asLatest(docker, own);
  try {
    await pull(docker, OFFICIAL, log);
    return OFFICIAL;
  } catch (error) {
    log(
      `${error instanceof Error ? error.message : error} Building an equivalent base image from Debian's archive …`,
    );
  }
  await bootstrap(docker, own, log);
  return asLatest(docker, own);
}

async function asLatest(docker: Docker, name: string): Promise<string> {
  await docker.getImage(name).tag({ repo: 'worker-base', tag: 'latest' });
  return 'worker-base:latest';
}

/** Whether the daemon has the image. */
export async function isPresent(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

async function pull(docker: Docker, name: string, log: PrintLine): Promise<void> {
  log(`Pulling ${name} …`);
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const stream = await docker.pull(name, { abortSignal: silence.signal });
    stream.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    });
    await follow(docker, stream);
  } catch (error) {
    const why = silence.signal.aborted
      ? `no data from the registry for ${SILENCE_MS / 1000} s`
      : (error as Error).message.trim();
    throw new Error(`${name} could not be pulled (${why}).`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the end of a build or pull. Its errors are in the stream, not in the status of the response. */
export async function follow(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onLine?: PrintLine,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error: Error | null, output: { error?: string }[]) => {
        const failure = output?.find((entry) => entry.error)?.error;
        if (error || failure) reject(error ?? new Error(failure));
        else resolve();
      },
      (entry: { stream?: string }) => {
        const line = entry.stream?.trim();
        if (line) onLine?.(line);
      },
    );
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('The Docker daemon closed the connection.')));
  });
}

function ownName(): string {
  const inputs = JSON.stringify([RECIPE, SUITE, PACKAGES, NPM_VERSION, nodeVersion(), process.arch]);
  return `worker-base:${createHash('sha256').update(inputs).digest('hex').slice(0, 12)}`;
}

const nodeVersion = (): string =>
  JSON.parse(readFileSync(join(ROOT, 'node_modules', 'node', 'package.json'), 'utf8')).version;

async function bootstrap(docker: Docker, name: string, log: PrintLine): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error(
      `Without a registry, the base image must be built by root on Linux. Set WORKER_BASE_IMAGE to an image with Node 24.`,
    );
  }
  if (!has('debootstrap')) {
    const error = installWithApt(['debootstrap', 'debian-archive-keyring'], log);
    if (error) throw new Error(error);
  }
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const work = mkdtempSync(join(ROOT, '.cache', 'base-'));
  const tree = join(work, 'root');
  try {
    log(`Bootstrapping Debian ${SUITE} (about a minute) …`);
    await run('debootstrap', ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, tree]);
    copyFileSync(join(ROOT, 'node_modules', 'node', 'bin', 'node'), join(tree, 'usr/local/bin/node'));
    await addNpm(work, tree);
    for (const [path, content] of Object.entries(HABITS)) writeFileSync(join(tree, path), content);
    for (const waste of [
      'var/cache/apt',
      'var/lib/apt/lists',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
    ]) {
      rmSync(join(tree, waste), { recursive: true, force: true });
    }
    mkdirSync(join(tree, 'var/cache/apt/archives/partial'), { recursive: true });
    mkdirSync(join(tree, 'var/lib/apt/lists/partial'), { recursive: true });
    log(`Importing it as ${name} …`);
    const tar = spawn(
      'tar',
      ['-C', tree, '--numeric-owner', '--exclude=./proc/*', '--exclude=./sys/*', '-c', '.'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [repo, tag] = name.split(':');
    const changes = ['CMD ["bash"]', `ENV PATH=${PATH}`, 'LABEL worker-manager.managed=true'];
    const stream = await docker.importImage(tar.stdout, { repo, tag, changes });
    await follow(docker, stream);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** npm in the same location as in the official image; the builds of agents' CLIs use it. */
async function addNpm(work: string, tree: string): Promise<void> {
  await run('npm', ['pack', `npm@${NPM_VERSION}`, '--silent', '--pack-destination', work]);
  const home = join(tree, 'usr/local/lib/node_modules/npm');
  mkdirSync(home, { recursive: true });
  const unpack = ['--strip-components=1', '--no-same-owner', '-xzf', join(work, `npm-${NPM_VERSION}.tgz`)];
  await run('tar', ['-C', home, ...unpack]);
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(tree, 'usr/local/bin', name));
  }
}

/** The dpkg and apt settings of the official slim images: no manuals, and no archives left behind. */
const HABITS = {
  'etc/dpkg/dpkg.cfg.d/docker': [
    'force-unsafe-io',
    'path-exclude /usr/share/doc/*',
    'path-include /usr/share/doc/*/copyright',
    'path-exclude /usr/share/man/*',
    'path-exclude /usr/share/locale/*',
    '',
  ].join('\n'),
  'etc/apt/apt.conf.d/docker': [
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    'Binary::apt::APT::Keep-Downloaded-Packages "false";',
    'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
    '',
  ].join('\n'),
};

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let tail = '';
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk).slice(-2000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} failed with exit code ${code}: ${tail.trim()}`);
}
