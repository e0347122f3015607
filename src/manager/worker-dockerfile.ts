import { type Images, imageName, renderDockerfile } from '../images/index.ts';
import { errorMessage, Fault, getCapabilities, type WorkerSpec } from '../model/index.ts';

/**
 * The Dockerfile of the image that this manager builds for a worker; `undefined` without a spec. Throws a Fault `unsupported`
 * if no image is built for it, `unavailable` if its base is missing.
 */
export async function getWorkerDockerfile(
  spec: WorkerSpec | undefined,
  images: Images | undefined,
): Promise<{ image: string; dockerfile: string } | undefined> {
  if (!spec) return undefined;
  if (!getCapabilities(spec.runtime).usesImages)
    throw new Fault('unsupported', `A worker of the runtime ${spec.runtime} has no image.`);
  if (spec.image !== undefined)
    throw new Fault('unsupported', `The worker uses the image ${spec.image}, which is not built here.`);
  if (!images)
    throw new Fault(
      'unsupported',
      'This manager builds no images: all workers use the one that WORKER_IMAGE names.',
    );
  try {
    const recipe = await images.recipe(spec);
    return { image: imageName(recipe), dockerfile: renderDockerfile(recipe) };
  } catch (error) {
    throw new Fault('unavailable', `The Dockerfile cannot be written: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
