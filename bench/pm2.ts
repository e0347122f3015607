/** The process manager that is common for Node, started with its own home. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The version that was measured when the goal was set. */
const PACKAGE = 'pm2@7.0.4';
const INSTALL_MS = 180_000;

export interface App {
  name: string;
  /** The Node program to run. */
  script: string;
  env: Record<string, string>;
}

export interface Pm2 {
  /** Starts all of them with one command; returns when pm2 reports them as online. */
  start(apps: App[]): Promise<void>;
  /** Ends all of them. */
  clear(): void;
  /** Ends its daemon as well and removes all its files. */
  stop(): Promise<void>;
}

/** Installs it from npm and starts its daemon. */
export async function startPm2(): Promise<Pm2> {
  const home = await mkdtemp(join(tmpdir(), 'bench-pm2-'));
  const install = ['install', '--prefix', home, '--no-audit', '--no-fund', '--silent', PACKAGE];
  check(spawnSync('npm', install, { encoding: 'utf8', timeout: INSTALL_MS }));
  const program = join(home, 'node_modules', 'pm2', 'bin', 'pm2');
  const pm2 = (...args: string[]) =>
    check(
      spawnSync(process.execPath, [program, ...args], {
        encoding: 'utf8',
        env: {
          PATH: process.env.PATH,
          HOME: home,
          PM2_HOME: join(home, '.pm2'),
          PM2_DISABLE_VERSION_CHECK: 'true',
        },
      }),
    );
  const end = () => pm2('kill', '--silent');
  pm2('ping');
  // Its daemon outlives the process that started it.
  process.once('exit', end);
  return {
    async start(apps) {
      const file = join(home, 'ecosystem.json');
      const each = { interpreter: process.execPath, exec_mode: 'fork', autorestart: false };
      await writeFile(file, JSON.stringify({ apps: apps.map((app) => ({ ...app, ...each })) }));
      pm2('start', file, '--silent');
    },
    clear: () => pm2('delete', 'all', '--silent'),
    async stop() {
      process.off('exit', end);
      end();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function check({ status, stderr, error }: SpawnSyncReturns<string>): void {
  if (status !== 0) throw new Error(`pm2 failed: ${error?.message ?? stderr}`);
}
