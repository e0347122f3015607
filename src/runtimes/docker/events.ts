import { setTimeout as delay } from 'node:timers/promises';
import { LABEL } from '../../model/index.ts';
import type { DockerClient } from './client.ts';
import { cellFilter } from './names.ts';

/**
 * Follows the engine's events and requests a resync if any may have been missed. Every new connection does
 * so, because the engine replays no events from before it, not even with `since`.
 */
const EVENTS = ['create', 'start', 'die', 'oom', 'pause', 'unpause', 'rename', 'destroy'];
/**
 * Replaces a stream that is silent for this long. For an idle stream, this costs one list. A stream that died
 * silently (a proxy dropped it, the engine froze) would otherwise lose every later event.
 */
const SILENCE_MS = 60_000;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5000;

export interface EventOptions {
  cell: string;
  /** See SILENCE_MS. */
  silenceMs?: number | undefined;
}

/** Reports events until closed; reconnects automatically. */
export function followEvents(
  client: DockerClient,
  options: EventOptions,
  onEvent: (workerId: string | undefined) => void,
): { close(): Promise<void> } {
  const closing = new AbortController();
  const ended = follow(client, options, onEvent, closing.signal);
  return {
    close: () => {
      closing.abort();
      return ended;
    },
  };
}

async function follow(
  client: DockerClient,
  options: EventOptions,
  onEvent: (workerId: string | undefined) => void,
  closing: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!closing.aborted) {
    try {
      await readOnce(client, options, onEvent, closing, () => {
        failures = 0;
      });
    } catch {
      // The calls report an unavailable engine; here, just try again.
      failures++;
    }
    if (failures > 0) await pause(Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS), closing);
  }
}

/** Handles one connection from start to end. */
async function readOnce(
  client: DockerClient,
  options: EventOptions,
  onEvent: (workerId: string | undefined) => void,
  closing: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  const silence = new AbortController();
  const signal = AbortSignal.any([closing, silence.signal]);
  const filters = { type: ['container'], event: EVENTS, ...cellFilter(options.cell) };
  const stream = await client.call('events', async (docker, deadline) => {
    // The deadline applies only to connecting; the stream itself outlives it.
    const opened = docker.getEvents({ filters, abortSignal: AbortSignal.any([signal, deadline]) } as never);
    return (await opened) as unknown as NodeJS.ReadableStream & { destroy(): void };
  });
  const timer = setTimeout(() => silence.abort(), options.silenceMs ?? SILENCE_MS);
  timer.unref();
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    onOpen();
    onEvent(undefined);
    let rest = '';
    for await (const chunk of stream.setEncoding('utf8')) {
      timer.refresh();
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') onEvent(parseWorkerId(line));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/** The worker of an event; an unreadable event only means that something has changed. */
function parseWorkerId(line: string): string | undefined {
  try {
    const event: { Actor?: { Attributes?: Record<string, string> } } = JSON.parse(line);
    return event.Actor?.Attributes?.[LABEL.workerId];
  } catch {
    return undefined;
  }
}

async function pause(ms: number, closing: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal: closing, ref: false });
  } catch {
    // Closed; the loop detects that.
  }
}
