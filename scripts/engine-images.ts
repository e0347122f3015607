import type Docker from 'dockerode';
import { follow, type PrintLine } from './base-image.ts';

/** Images that the tests make on an engine and that another one can take over: they need no registry, but minutes. */
const MADE_BY_TESTS = /^(worker-base|worker-test-redis):/;
const WORKER = 'worker:latest';

/** A call of dockerode that its types leave out. */
type WithArchive = Docker & { getImages(options: { names: string[] }): Promise<NodeJS.ReadableStream> };

/**
 * Copies the images that the tests need from one engine to another; those that the other one has are left alone.
 * `worker` also copies the worker image, which the other one would build otherwise.
 */
export async function copyTestImages(
  from: Docker,
  to: Docker,
  { worker, log }: { worker: boolean; log: PrintLine },
): Promise<void> {
  const tags = async (docker: Docker) => (await docker.listImages()).map(({ RepoTags }) => RepoTags ?? []);
  const present = new Set((await tags(to)).flat());
  const names = (await tags(from))
    .filter((all) => all.some((name) => MADE_BY_TESTS.test(name)) || (worker && all.includes(WORKER)))
    .flat()
    .filter((name) => !present.has(name));
  if (names.length === 0) return;
  log(`Copying ${names.join(', ')} …`);
  await follow(to, await to.loadImage(await (from as WithArchive).getImages({ names })));
}
