import { type FSWatcher, watch } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Body, workerId } from '../../model/index.ts';

/** In the cell's directory: a shim touches the file of its worker when its body begins and when it ends. */
export const EVENTS_DIRECTORY = '.hints';

interface Sources {
  cell: { path: string; open: () => Promise<void> };
  list: () => Promise<Body[]>;
  /** Between two resyncs, in milliseconds: for events that no file shows, such as a killed shim. */
  pollMs: number;
  onEvent: (workerId: string | undefined) => void;
}

/**
 * Events about the bodies of a cell, whichever manager started them: the system reports files in one directory, and a
 * slow resync finds what was missed and watches again if that directory was replaced.
 */
export function watchCell({ cell, list, pollMs, onEvent }: Sources): { close(): Promise<void> } {
  const path = join(cell.path, EVENTS_DIRECTORY);
  let watcher: FSWatcher | undefined;
  let watched: number | undefined;
  let known: Map<string, string> | undefined;
  let closed = false;

  const rewatch = async () => {
    const inode = (await lstat(path).catch(() => undefined))?.ino;
    if (closed || (watcher && inode === watched)) return;
    watcher?.close();
    watcher = undefined;
    await cell.open();
    const again = watched !== undefined;
    watched = (await lstat(path)).ino;
    if (closed) return;
    watcher = watch(path, { persistent: false }, (_event, name) => {
      if (name && workerId.safeParse(name).success) onEvent(name);
    });
    watcher.on('error', () => {
      watcher?.close();
      watcher = undefined;
    });
    if (again) onEvent(undefined);
  };

  const look = async () => {
    const seen = new Map(
      (await list()).map((body) => [body.worker_id, `${body.id} ${body.state} ${body.paused}`]),
    );
    for (const [worker, state] of seen) if (known && known.get(worker) !== state) onEvent(worker);
    for (const worker of known?.keys() ?? []) if (!seen.has(worker)) onEvent(worker);
    known = seen;
  };

  // A failure here is the engine's, and the calls of the loop report it; the next turn tries again.
  const turn = () =>
    rewatch()
      .catch(() => undefined)
      .then(look)
      .catch(() => undefined);
  let running = turn();
  const timer = setInterval(() => {
    running = running.then(turn);
  }, pollMs);
  timer.unref();
  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
      watcher?.close();
    },
  };
}
