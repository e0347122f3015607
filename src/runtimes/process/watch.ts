import { type FSWatcher, watch } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Body, workerId } from '../../model/index.ts';

/** Subdirectory of the cell: a shim touches its worker's file when its body starts and when it ends. */
export const EVENTS_DIRECTORY = '.hints';

interface Sources {
  cell: { path: string; open: () => Promise<void> };
  list: () => Promise<Body[]>;
  /** Resync interval in milliseconds, for events that no file reports, such as a killed shim. */
  pollMs: number;
  onEvent: (workerId: string | undefined) => void;
}

/**
 * Reports events of a cell's bodies, whichever manager started them. The system reports changed files in one
 * directory; a slow resync finds missed events and watches again if that directory was replaced.
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
    const states = new Map(
      (await list()).map((body) => [body.worker_id, `${body.id} ${body.state} ${body.paused}`]),
    );
    for (const [worker, state] of states) if (known && known.get(worker) !== state) onEvent(worker);
    for (const worker of known?.keys() ?? []) if (!states.has(worker)) onEvent(worker);
    known = states;
  };

  // This is an engine failure, which the loop's calls report; the next resync tries again.
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
