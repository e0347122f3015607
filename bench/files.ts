/**
 * Files of a worker in Docker over HTTP, compared with `docker cp` of the same files to and from the same container: one of 256 MiB,
 * and a folder of 2,000 small ones, which is one archive for both. Each side is measured in turn.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { toConnection } from '../src/runtimes/docker/client.ts';
import { networkName } from '../src/runtimes/docker/names.ts';
import type { DockerContext } from './bare-containers.ts';
import { startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result } from './result.ts';

const run = promisify(execFile);
const MIB = 1024 ** 2;
const LARGE_MIB = 256;
const SMALL = 2000;
const SMALL_BYTES = 1000;
const ROUNDS = 3;
const TOKEN = 'bench-token';

export async function benchFiles(context: DockerContext): Promise<Result[]> {
  const { redisUrl, bodyRedisUrl, dockerHost, image } = context;
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const host = dockerHost.startsWith('/') ? `unix://${dockerHost}` : dockerHost;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const manager = await startManager({
    REDIS_URL: redisUrl,
    WORKER_REDIS_URL: bodyRedisUrl,
    CELL: cell,
    RUNTIME: 'docker',
    WORKER_IMAGE: image,
    API_TOKEN: TOKEN,
    DOCKER_HOST: host,
  });
  const folder = await mkdtemp(join(tmpdir(), 'bench-files-'));
  try {
    const id = orchestrator.create({
      runtime: 'docker',
      command_line: ['sleep', '3600'],
      stop_grace_seconds: 0,
    });
    await orchestrator.reached(id, 'ready');
    const [container] = await new Docker(toConnection(dockerHost)).listContainers({
      filters: { label: [`worker-manager.worker-id=${id}`] },
    });
    const api = createApi(manager.url, id);
    const cp = async (from: string, to: string) => {
      await run('docker', ['cp', '-q', from, to], { env: { ...process.env, DOCKER_HOST: host } });
    };
    const there = `${container?.Id}:/workspace`;
    const large = join(folder, 'large');
    await writeFile(large, randomBytes(LARGE_MIB * MIB));
    const tree = join(folder, 'tree');
    await mkdir(tree);
    for (let n = 0; n < SMALL; n += 1) await writeFile(join(tree, `file-${n}`), randomBytes(SMALL_BYTES));
    const back = join(folder, 'back');
    const sides = {
      up: [
        () => api.put('files/large', createReadStream(large, { highWaterMark: MIB }), LARGE_MIB * MIB),
        () => cp(large, `${there}/large`),
      ],
      down: [
        async () =>
          pipeline(
            await api.get('files/large'),
            createWriteStream(join(folder, 'down'), { highWaterMark: MIB }),
          ),
        () => cp(`${there}/large`, join(folder, 'down-cp')),
      ],
      'small up': [() => api.putTree('archive/tree', tree), () => cp(tree, `${there}/tree-cp`)],
      'small down': [
        async () => {
          await mkdir(`${back}/ours`, { recursive: true });
          await api.getTree('archive/tree', `${back}/ours`);
        },
        () => cp(`${there}/tree`, back),
      ],
    } satisfies Record<string, [ours: () => Promise<void>, theirs: () => Promise<void>]>;
    const results: Result[] = [];
    for (const [name, [ours, theirs]] of Object.entries(sides)) {
      const times: [number[], number[]] = [[], []];
      for (let round = -1; round < ROUNDS; round += 1) {
        const both = [await timed(ours), await timed(theirs)] as const;
        await rm(back, { recursive: true, force: true });
        // The first round starts the file helper, and fills the caches.
        if (round >= 0) for (const side of [0, 1] as const) times[side].push(both[side]);
      }
      results.push(toResult(name, median(times[0]), median(times[1])));
    }
    results.push(await oneByOne(api, cp, tree, there));
    await orchestrator.delete([id]);
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await manager.stop();
    await new Docker(toConnection(dockerHost))
      .getNetwork(networkName(cell))
      .remove()
      .catch(() => {});
    await orchestrator.close(cell);
  }
}

/** The same small files with one `docker cp` each, which a client without archives needs; of a part of them. */
async function oneByOne(
  api: ReturnType<typeof createApi>,
  cp: (from: string, to: string) => Promise<void>,
  tree: string,
  there: string,
): Promise<Result> {
  const part = 50;
  const single = await timed(async () => {
    for (let n = 0; n < part; n += 1) await cp(join(tree, `file-${n}`), `${there}/single`);
  });
  const archive = await timed(() => api.putTree('archive/tree-2', tree));
  const value = ((single / part) * SMALL) / archive;
  const note = `${archive.toFixed(0)} ms in one archive against ${((single / part) * SMALL).toFixed(0)} ms`;
  return {
    name: `${SMALL} small files up / one docker cp each`,
    value,
    unit: 'times',
    goal: '>= 10',
    met: value >= 10,
    note,
  };
}

function toResult(name: string, ours: number, theirs: number): Result {
  const value = theirs / ours;
  const small = name.startsWith('small');
  const what = small ? `${SMALL} small files, ${name.slice(6)}` : `${LARGE_MIB} MiB, ${name}`;
  const note = `${ours.toFixed(0)} ms against ${theirs.toFixed(0)} ms`;
  return { name: `${what} / docker cp`, value, unit: 'times', goal: '>= 0.5', met: value >= 0.5, note };
}

async function timed(act: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function createApi(url: string, id: string) {
  const { hostname, port } = new URL(url);
  const send = async (
    method: string,
    path: string,
    body?: Readable,
    size?: number,
  ): Promise<IncomingMessage> => {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      ...(size !== undefined && { 'content-length': size }),
    };
    const sent = request({ hostname, port, method, path: `/v1/workers/${id}/${path}`, headers });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    if (body) body.pipe(sent);
    else sent.end();
    const [response] = await answered;
    if ((response.statusCode ?? 0) < 300) return response;
    throw new Error(`${method} ${path}: ${response.statusCode} ${Buffer.concat(await response.toArray())}`);
  };
  const put = async (path: string, body: Readable, size?: number) => {
    await (await send('PUT', path, body, size)).toArray();
  };
  const get = (path: string) => send('GET', path);
  return {
    put,
    get,
    async putTree(path: string, tree: string) {
      const tar = spawn('tar', ['-cf', '-', '-C', tree, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
      await put(path, tar.stdout);
    },
    async getTree(path: string, to: string) {
      const tar = spawn('tar', ['-xf', '-', '-C', to], { stdio: ['pipe', 'inherit', 'inherit'] });
      const closed = once(tar, 'close');
      await pipeline(await get(path), tar.stdin);
      await closed;
    },
  };
}
