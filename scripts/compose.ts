/**
 * Finds Docker Compose 2 for the tests of deploy/compose.yaml: the plugin of this machine, or else the program of Debian
 * trixie's package, which runs on older releases too and is kept in `.cache`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mirrorOf } from './debian-root.ts';
import { has } from './ensure-docker.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'compose');
const PROGRAM = join(CACHE, 'usr/libexec/docker/cli-plugins/docker-compose');
const SUITE = 'trixie';

/** The command line of Compose 2; an error says what was tried. */
export function ensureCompose(log: (line: string) => void): string[] | { error: string } {
  for (const command of [['docker', 'compose'], ['docker-compose'], [PROGRAM]])
    if (isV2(command)) return command;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    return {
      error: 'Docker Compose 2 is not installed. Install it (https://docs.docker.com/compose/install/).',
    };
  }
  log(`Downloading Docker Compose from Debian ${SUITE} …`);
  const error = download();
  if (error === undefined && isV2([PROGRAM])) return [PROGRAM];
  return {
    error: `Docker Compose 2 could not be downloaded from Debian ${SUITE}: ${error ?? 'it does not run'}`,
  };
}

function isV2([program = '', ...args]: string[]): boolean {
  const { status, stdout } = spawnSync(program, [...args, 'version', '--short'], { encoding: 'utf8' });
  return status === 0 && /^v?[2-9]\d*\./.test(stdout);
}

/** Unpacks the package without installing it; returns the last line of what failed. */
function download(): string | undefined {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'apt-'));
  try {
    mkdirSync(join(work, 'lists', 'partial'), { recursive: true });
    writeFileSync(join(work, 'sources.list'), `deb ${mirrorOf()} ${SUITE} main\n`);
    const options = [
      `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${join(work, 'lists')}`,
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
    const apt = (...args: string[]) =>
      spawnSync('apt-get', ['-q', ...options, ...args], { cwd: work, encoding: 'utf8' });
    for (const args of [['update'], ['download', 'docker-compose']]) {
      const { status, stderr } = apt(...args);
      if (status !== 0) return stderr.trim().split('\n').at(-1) ?? `apt-get ${args[0]} failed`;
    }
    const file = readdirSync(work).find((name) => name.endsWith('.deb')) ?? '';
    const { status, stderr } = spawnSync('dpkg-deb', ['-x', join(work, file), CACHE], { encoding: 'utf8' });
    return status === 0 && existsSync(PROGRAM) ? undefined : stderr.trim();
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
