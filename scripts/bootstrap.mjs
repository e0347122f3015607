#!/usr/bin/env node
/**
 * Runs a TypeScript file of this project on a machine that may have nothing but some Node and npm:
 * `node scripts/bootstrap.mjs scripts/demo.ts ARGS…` installs the locked packages where they are missing or
 * older than the lock file, then hands over to a Node that runs TypeScript as it is.
 *
 * Plain JavaScript for Node 20 or newer, without packages: it runs before any are there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const INSTALLED = join(root, 'node_modules', '.package-lock.json');
/**
 * What the lock file says, and no change to it. `npm ci` would refuse a lock file that does not name the optional packages of
 * every platform, as one made behind a mirror that lacks some of them does not.
 */
const NPM_INSTALL = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
/** How often it is looked whether npm is still there. */
const WATCH_MS = 500;
/** The first Node that runs TypeScript without a flag (22.18, 23.6); 22 before that is too old as well. */
const TYPESCRIPT_SINCE = { 22: 18, 23: 6 };

const [script, ...args] = process.argv.slice(2);
if (!script) {
  console.error('usage: node scripts/bootstrap.mjs SCRIPT [ARGS…]');
  process.exit(2);
}

if (isStale()) install();
handOver();

/** npm writes its own copy of the lock at the end of an install: missing or older means unfinished or outdated. */
function isStale() {
  return (
    !existsSync(INSTALLED) || statSync(INSTALLED).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs
  );
}

function install() {
  const why = existsSync(join(root, 'node_modules')) ? 'package-lock.json has changed' : 'first run';
  console.error(`Installing the packages (${why}; up to a minute) …`);
  const began = Date.now();
  const result = spawnSync('npm', NPM_INSTALL, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error(
      `\`npm ${NPM_INSTALL.join(' ')}\` failed${result.error ? `: ${result.error.message}` : ''}. Run it in ${root} to see why.`,
    );
    process.exit(1);
  }
  // npm leaves its copy of the lock file unchanged if it changes nothing.
  const now = new Date();
  if (existsSync(INSTALLED)) utimesSync(INSTALLED, now, now);
  console.error(`Installed in ${Math.round((Date.now() - began) / 1000)} s.`);
}

function runsTypeScript() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major >= 24 || minor >= (TYPESCRIPT_SINCE[major] ?? Number.POSITIVE_INFINITY);
}

/** The same streams, exit code and signals as if the script had been called itself. */
function handOver() {
  const node = runsTypeScript() ? process.execPath : join(bin, 'node');
  const env = { ...process.env, PATH: [bin, process.env.PATH].filter(Boolean).join(delimiter) };
  // A quarter of a second less for every verb of the command line.
  env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'compiled');
  const child = spawn(node, [script, ...args], { stdio: 'inherit', env });
  child.on('error', (error) => {
    console.error(`${node} could not be started: ${error.message}. Delete node_modules and run this again.`);
    process.exit(1);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    // A terminal sends SIGINT and SIGQUIT to the whole group itself; twice would read as "at once".
    const fromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
    process.on(signal, () => fromTerminal || child.kill(signal));
  }
  // npm hands a signal on to its shell only, which dies of it and leaves us behind.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (!process.env.npm_lifecycle_event || process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, WATCH_MS);
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
