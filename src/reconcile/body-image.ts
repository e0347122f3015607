import type { WorkerSpec } from '../model/index.ts';
import type { ReconcileContext } from './context.ts';

/** The image that a body of this spec would run; undefined if all run the same one. Unknown is treated like none. */
export async function resolveBodyImage(
  spec: WorkerSpec,
  images: ReconcileContext['images'],
): Promise<string | undefined> {
  if (!images) return undefined;
  const state = await images.state(spec).catch(() => undefined);
  return state && state.kind !== 'unknown' ? state.name : '';
}
