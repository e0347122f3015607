/**
 * `npm test`: first the checks without Redis and Docker (`npm run check`), then every test against a real Redis and
 * Docker, then some of those against newer versions.
 *
 * As root on Debian or Ubuntu it installs missing packages; the Docker daemon is the running one, or a private one that
 * the tests' set-up starts. With arguments it only runs vitest with them: `npm test -- test/e2e/demo.real.test.ts`. The
 * last line is `N passed, N failed`: the gates of the check, and the tests.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { has, installWithApt } from './ensure-docker.ts';

const ROOT = join(import.meta.dirname, '..');

interface Count {
  passed: number;
  failed: number;
}

const args = process.argv.slice(2);
installWhatIsMissing();
const counts =
  args.length > 0
    ? [await vitest(args)]
    : [await check(), await vitest(['--project', 'real']), await otherEngines()];
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Programs that some tests use; if they cannot be installed, those tests report what is missing. */
function installWhatIsMissing(): void {
  const missing = [
    !has('curl') && 'curl',
    !has('git') && 'git',
    !has('ps') && 'procps',
    !has('ip') && 'iproute2',
    !has('redis-server') && 'redis-server',
    !has('redis-cli') && 'redis-tools',
    !has('promtool') && 'prometheus',
    !has('chromium') && 'chromium',
    spawnSync('/usr/bin/python3', ['-c', 'import redis'], { stdio: 'ignore' }).status !== 0 &&
      'python3-redis',
    !has('docker-compose') && 'docker-compose',
    !has('systemd-analyze') && 'systemd',
    !has('vim') && 'vim',
    !has('zsh') && 'zsh',
    !has('fish') && 'fish',
    spawnSync('/usr/bin/python3', ['-c', 'import ensurepip'], { stdio: 'ignore' }).status !== 0 &&
      'python3-venv',
  ].filter((one) => one !== false);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    console.error(`Some tests need ${missing.join(', ')} (names of Debian packages): install them.`);
    return;
  }
  console.error(`Installing ${missing.join(', ')} with apt …`);
  const error = installWithApt(missing, console.error);
  if (error) console.error(error);
}

async function check(): Promise<Count> {
  let output = '';
  const code = await run(['scripts/check.ts'], (text) => {
    output += text;
  });
  const count = (word: string) => output.match(new RegExp(`^${word} `, 'gm'))?.length ?? 0;
  const failures = count('FAILED');
  return { passed: count('ok'), failed: code === 0 ? failures : Math.max(failures, 1) };
}

async function vitest(more: string[]): Promise<Count> {
  const directory = mkdtempSync(join(tmpdir(), 'worker-manager-test-'));
  const file = join(directory, 'report.json');
  try {
    const reporters = [
      ...['default', './test/support/skip-reporter.ts', 'json'].map((name) => `--reporter=${name}`),
      `--outputFile.json=${file}`,
    ];
    const code = await run(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...more]);
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
    // A file that cannot be loaded, or a failed set-up, counts as a failure without a failed test.
    return { passed: numPassedTests, failed: code === 0 ? numFailedTests : Math.max(numFailedTests, 1) };
  } catch (error) {
    console.error(`vitest wrote no report: ${error instanceof Error ? error.message : error}`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A part of the tests against a newer Docker and a newer Redis; if they cannot be installed, it prints why. */
async function otherEngines(): Promise<Count> {
  let output = '';
  const code = await run(['scripts/test-engines.ts', '--short'], (text) => {
    output += text;
  });
  const runs = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)];
  const sum = (at: 1 | 2) => runs.reduce((total, run) => total + Number(run[at]), 0);
  return { passed: sum(1), failed: code === 0 ? sum(2) : Math.max(sum(2), 1) };
}

/** Runs a script with this Node and shows its output; returns its exit code, 1 for a signal. */
function run(argv: string[], hear?: (text: string) => void): Promise<number> {
  const stdout = hear ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', stdout, 'inherit'] });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    hear?.(text);
  });
  // Ctrl-C reaches the whole group of a terminal; signals to this process alone are forwarded.
  const forward = (signal: NodeJS.Signals) => process.stdin.isTTY || child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(code ?? 1);
    });
  });
}
