/** The set-up of deploy/compose.yaml, in a copy of its folder, with a project, a cell, ports and a network of its own. */
import { execFile, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const run = promisify(execFile);

export interface Stack {
  cell: string;
  /** The copy of the folder. */
  directory: string;
  /** The manager's HTTP address. */
  url: string;
  prometheusUrl: string;
  /** The content of a file in `secrets`. */
  secret(name: string): string;
  secrets: string[];
  /** Runs Compose; returns its output. */
  compose(...args: string[]): Promise<string>;
  /** Runs Compose with its input or output in a file of the folder. */
  pipe(file: { from: string } | { to: string }, ...args: string[]): Promise<void>;
  /** The ID of a service's container. */
  container(service: string): Promise<string>;
  /** Removes the containers, networks, volumes and the copy. */
  remove(): Promise<void>;
}

export async function prepareStack(
  compose: string[],
  { dockerHost, images }: { dockerHost: string; images: Record<string, string> },
): Promise<Stack> {
  const cell = `t-${randomUUID().slice(0, 8)}`;
  const directory = mkdtempSync(join(tmpdir(), 'wm-stack-'));
  cpSync(DEPLOY, directory, { recursive: true });
  // Of the range for benchmarks of networks (RFC 2544), which Docker gives to none of its own.
  const net = `198.${randomInt(18, 20)}.${randomInt(1, 255)}`;
  const prepared = spawnSync('sh', [join(directory, 'prepare.sh')], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, STORE_NET: net, CELL: cell },
  });
  if (prepared.status !== 0) throw new Error(`prepare.sh failed: ${prepared.stderr}`);
  const [port, prometheusPort] = [await freePort(), await freePort()];
  const socket = dockerHost.replace(/^unix:\/\//, '');
  const settings = {
    ...images,
    DOCKER_SOCKET: socket,
    MANAGER_PORT: String(port),
    PROMETHEUS_PORT: String(prometheusPort),
  };
  for (const [name, value] of Object.entries(settings))
    appendFileSync(join(directory, '.env'), `${name}=${value}\n`);
  const [program = '', ...first] = compose;
  const env = { PATH: process.env.PATH, HOME: directory, DOCKER_HOST: `unix://${socket}` };
  const command = [...first, '-p', cell, '-f', join(directory, 'compose.yaml')];
  const call = async (...args: string[]) => {
    const { stdout, stderr } = await run(program, [...command, ...args], { env, maxBuffer: 64 << 20 });
    return stdout || stderr;
  };
  async function pipe(file: { from: string } | { to: string }, ...args: string[]): Promise<void> {
    const [name, flags] = 'to' in file ? [file.to, 'w'] : [file.from, 'r'];
    const open = openSync(join(directory, name), flags);
    const stdio: StdioOptions = 'to' in file ? ['ignore', open, 'inherit'] : [open, 'inherit', 'inherit'];
    const child = spawn(program, [...command, ...args], { env, stdio });
    const [code] = await once(child, 'close');
    closeSync(open);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code}`);
  }
  const secret = (name: string) => readFileSync(join(directory, 'secrets', name), 'utf8');
  const names = readdirSync(join(directory, 'secrets')).filter((name) => name !== 'workers');
  return {
    cell,
    directory,
    url: `http://127.0.0.1:${port}`,
    prometheusUrl: `http://127.0.0.1:${prometheusPort}`,
    secret,
    secrets: names.map(secret),
    compose: call,
    pipe,
    container: async (service) => (await call('ps', '-a', '-q', service)).trim(),
    remove: async () => {
      await call('down', '-v', '-t', '5');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
