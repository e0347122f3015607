/** What all views share: the cell, and messages for the person. */
import { LiveCell } from './live/cell.ts';
import { PoolHistory } from './live/pool-history.ts';
import { Observable, useStore } from './live/store.ts';
import { describeError } from './parts/text.ts';

export interface Notice {
  text: string;
  failed: boolean;
}

export const cell = new Observable<{ cell: LiveCell; pools: PoolHistory } | undefined>(undefined);
/** The last message about something that the person did. */
export const notice = new Observable<Notice | undefined>(undefined);

/** Starts to read the cell; called once there is a token. */
export function openCell(): () => void {
  const opened = { cell: new LiveCell(), pools: new PoolHistory() };
  opened.cell.start();
  opened.pools.start();
  cell.set(opened);
  return () => {
    opened.cell.stop();
    opened.pools.stop();
    cell.set(undefined);
  };
}

export function useCell(): { cell: LiveCell; pools: PoolHistory } {
  const opened = useStore(cell);
  if (!opened) throw new Error('No token was entered.');
  return opened;
}

/** Runs what a person has asked for and reports how it ended. Returns whether it succeeded. */
export async function perform(done: string, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    notice.set({ text: done, failed: false });
    return true;
  } catch (error) {
    notice.set({ text: describeError(error), failed: true });
    return false;
  }
}
