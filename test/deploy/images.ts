/** Images of the compose file, built without a registry on the run's base image. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { follow, isPresent } from '../../scripts/base-image.ts';
import { tarOf } from '../support/tar.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCKERFILE = 'deploy/Dockerfile';
/** What `.dockerignore` leaves in the build context. */
const CONTEXT = [
  DOCKERFILE,
  ...readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!') && line !== '!deploy/ca.crt')
    .map((line) => line.slice(1)),
];
/** The machine's certificates, for a proxy that inspects TLS. */
const CA = '/etc/ssl/certs/ca-certificates.crt';

/** Builds the manager's image from this checkout. */
export async function buildManagerImage(docker: Docker, tag: string, baseImage: string): Promise<void> {
  const ca = existsSync(CA)
    ? ['-C', dirname(CA), '--transform', `s,^ca-certificates.crt$,deploy/ca.crt,`]
    : [];
  const files = ca.length > 0 ? [...ca, 'ca-certificates.crt'] : [];
  const tar = spawn('tar', ['-c', '-C', ROOT, ...CONTEXT, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await build(docker, tar.stdout, { t: tag, dockerfile: DOCKERFILE, buildargs: { NODE_IMAGE: baseImage } });
}

/** Redis with a folder for its data that belongs to its user, as in the official image. */
export const ensureRedisImage = (docker: Docker, redisImage: string) =>
  ensureImage(docker, 'worker-test-redis-user', [`FROM ${redisImage}`, 'RUN chown 999:999 /data']);

/** Prometheus of Debian, as its official image runs it. */
export const ensurePrometheusImage = (docker: Docker, baseImage: string) =>
  ensureImage(docker, 'worker-test-prometheus', [
    `FROM ${baseImage}`,
    'RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*',
    'RUN install -d -o 65534 -g 65534 /prometheus',
    'USER 65534:65534',
    'ENTRYPOINT ["prometheus"]',
  ]);

/** Builds an image from a Dockerfile without context, unless the daemon has it. Returns its name. */
async function ensureImage(docker: Docker, name: string, lines: string[]): Promise<string> {
  const dockerfile = [...lines, 'LABEL worker-manager.managed=true', ''].join('\n');
  const tag = `${name}:${createHash('sha256').update(dockerfile).digest('hex').slice(0, 12)}`;
  if (await isPresent(docker, tag)) return tag;
  await build(docker, tarOf({ Dockerfile: dockerfile }), { t: tag });
  return tag;
}

async function build(
  docker: Docker,
  context: NodeJS.ReadableStream | Buffer,
  options: object,
): Promise<void> {
  const lines: string[] = [];
  const stream = await docker.buildImage(context as NodeJS.ReadableStream, {
    rm: true,
    forcerm: true,
    ...options,
  });
  try {
    await follow(docker, stream, (line) => lines.push(line));
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${lines.slice(-20).join('\n')}`, { cause: error });
  }
}
