/** Reads a response of server-sent events. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { ManagerError } from '../errors.ts';

/** The manager sends a comment every 15 s; after this time without a byte the connection counts as broken. */
const SILENCE_MS = 60_000;

/**
 * Yields events until the response ends. Throws `unavailable` if the connection breaks, and the signal's reason if it
 * fires.
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  silenceMs: number = SILENCE_MS,
): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void ready.push(event) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let isComplete = false;
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read(), silenceMs);
      if (done) {
        isComplete = true;
        return;
      }
      parser.feed(decoder.decode(value, { stream: true }));
      yield* ready.splice(0);
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof ManagerError
      ? cause
      : new ManagerError('unavailable', 'The connection to the manager broke.', { cause });
  } finally {
    // Also ends a read that is still waiting.
    if (!isComplete) await reader.cancel().catch(() => {});
  }
}

function withinSilence<T>(read: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_resolve, reject) => {
    const end = () => reject(new ManagerError('unavailable', `The manager sent nothing for ${ms / 1000} s.`));
    timer = setTimeout(end, ms);
  });
  return Promise.race([read, silent]).finally(() => clearTimeout(timer));
}
