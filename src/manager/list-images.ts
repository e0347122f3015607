import type { Collector } from '../images/gc.ts';
import { toImageViews } from '../images/image-view.ts';
import { errorMessage, Fault, type ImageView } from '../model/index.ts';

/** The worker images; throws a Fault `unsupported` without a collector, `unavailable` if the engine does not list them. */
export async function listImages(collector: Collector | undefined): Promise<ImageView[]> {
  if (!collector)
    throw new Fault(
      'unsupported',
      'This manager has no worker images: it runs no Docker workers, or one image for all.',
    );
  try {
    return toImageViews(await collector.list());
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('unavailable', `The worker images cannot be listed: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
