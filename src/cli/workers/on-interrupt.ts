import type { Context } from '../context.ts';
import { type EndSignal, SIGNALED } from '../manager/shutdown.ts';

/**
 * Until the returned function is called, the first SIGINT or SIGTERM calls `first` and prints the note, and a second
 * one ends the process at once.
 */
export function onInterrupt(
  { out }: Pick<Context, 'out'>,
  { first, note }: { first: (signal: EndSignal) => void; note: string },
): () => void {
  let began = false;
  const handle = (signal: EndSignal) => {
    if (began) process.exit(SIGNALED[signal]);
    began = true;
    out.note(note);
    first(signal);
  };
  const signals = Object.keys(SIGNALED) as EndSignal[];
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
