/**
 * Builds the plain worker image (CUSTOM, without modules) like the manager, and also tags it `worker:latest`, the
 * default of the demo, `npm start` and the tests.
 *
 * As a program (`node scripts/worker-image.ts`) it prints the image's name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { createImages } from '../src/images/index.ts';
import { workerSpec } from '../src/model/index.ts';
import { ensureBaseImage, type PrintLine } from './base-image.ts';
import { bundleWrapper } from './bundle-wrapper.ts';

const PACKAGE = join(import.meta.dirname, '..', 'package.json');
const PLAIN = workerSpec.parse({ runtime: 'docker', agent_type: 'CUSTOM' });

/** The worker image's name; the image exists when this returns. Throws with the output of the build. */
export async function ensureWorkerImage(docker: Docker, log: PrintLine): Promise<string> {
  const baseImage = await ensureBaseImage(docker, log);
  await bundleWrapper();
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  const ca = process.env.WORKER_BUILD_CA || undefined;
  const images = createImages({ host: hostOf(docker), version, baseImage, ca });
  try {
    const name = await images.buildNow(PLAIN, ({ step, line }) =>
      log(step === 0 ? `Building the worker image from ${baseImage} …` : line),
    );
    await docker.getImage(name).tag({ repo: 'worker', tag: 'latest' });
    return name;
  } finally {
    await images.close();
  }
}

/** The address of the client's daemon, for `createImages`. */
function hostOf(docker: Docker): string {
  const { socketPath, host, port } = docker.modem as { socketPath?: string; host?: string; port?: number };
  return socketPath ?? `tcp://${host}:${port}`;
}

if (import.meta.main) console.log(await ensureWorkerImage(new Docker(), console.error));
