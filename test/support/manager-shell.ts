/** A shell in which `wm` is the command line of a manager of the test, for sessions of the documentation. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { cleanCell, MAIN, type Manager, managerEnv, newCell, startManager } from './manager.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
/** The address in the documentation. */
const PRINTED = 'http://127.0.0.1:8080';

export interface ManagerShell {
  manager: Manager;
  /** Runs a command in the folder of the repository; returns its standard output, and rejects if it fails. */
  bash(command: string): Promise<string>;
}

/** Starts a manager with these settings, waits until it is ready, and ends it with its cell after the test. */
export async function startManagerShell(env: Record<string, string>): Promise<ManagerShell> {
  const options = { redisUrl: inject('redisUrl'), cell: newCell(), env };
  const manager = await startManager(options);
  onTestFinished(async () => {
    await manager.stop();
    if (env.DOCKER_HOST)
      await dismantle(
        createDockerRuntime({ cell: options.cell, host: inject('dockerHost'), image: inject('image') }),
      );
    await cleanCell({ ...options, home: manager.home });
  });
  await expect.poll(async () => (await fetch(`${manager.url}/readyz`)).status).toBe(200);
  const around = { cwd: ROOT, env: managerEnv({ ...options, home: manager.home }) };
  return {
    manager,
    async bash(command) {
      const text = command.replaceAll(PRINTED, manager.url);
      const script = `set -o pipefail\nwm() { '${process.execPath}' '${MAIN}' "$@"; }\n${text}`;
      return (await run('bash', ['-c', script], { ...around, maxBuffer: 16 * 1024 ** 2 })).stdout.trimEnd();
    },
  };
}

/** The settings of a manager that uses the Docker daemon of the tests, if it can. */
export function withDocker(): Record<string, string> {
  const host = inject('dockerHost');
  return { RUNTIME: 'auto', DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host };
}
