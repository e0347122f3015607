/**
 * Whether the page can be seen. A browser opens six connections to a server at most, for all its tabs together, so
 * a hidden tab keeps no stream open; it continues where it was when it is shown.
 */
import { Observable } from './store.ts';

/** Switching tabs back and forth keeps the streams. */
const HIDDEN_MS = 10_000;

export const shown = new Observable(!document.hidden);

let timer: ReturnType<typeof setTimeout> | undefined;
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(() => shown.set(false), HIDDEN_MS);
  else shown.set(true);
});

/** Resolves when the page can be seen; rejects with the signal's reason. */
export function untilShown(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (shown.value) return resolve();
    const end = shown.subscribe(() => {
      if (!shown.value) return;
      end();
      resolve();
    });
    signal.addEventListener('abort', () => {
      end();
      reject(signal.reason);
    });
  });
}
