/** What the API says about processes that were started in a body, and in which forms it sends their output. */
import { isUtf8 } from 'node:buffer';
import { EXEC_FRAMES, toFrame } from '../../src/model/doors/exec-frames.ts';
import type { OutputStream } from './process-output.ts';

/** How a process ended. */
export interface ProcessEnd {
  /** As a shell reports it: 128 and the number of the signal, 124 after the timeout, 126 and 127 if it was not started. */
  exit_code: number;
  /** The signal that ended it, such as `SIGKILL`. */
  signal: string | null;
  /** The kernel killed it, because the body's memory was used up. */
  oom?: true;
  /** `timeout_seconds` was over. */
  timed_out?: true;
  /** For people: why it was refused, not started or killed. */
  error?: string;
}

/** A process, as it is listed. */
export interface ProcessReport extends Partial<ProcessEnd> {
  process_id: string;
  status: 'running' | 'ended';
  /** As it was requested; one of the two. */
  command?: string[];
  shell?: string;
  cwd: string;
  /** It outlives the client that started it. */
  detached: boolean;
  pid?: number;
  /** Whether its standard input can be written to. */
  stdin_open: boolean;
  /** Bytes of both output streams so far: the offset of the next one. */
  output_bytes: number;
  started_at: string;
  ended_at?: string;
}

/** An event of a stream of output. */
export type ExecEvent =
  | ({ type: 'started' } & ProcessReport)
  | { type: OutputStream; offset: number; bytes: Buffer }
  | { type: 'lost'; offset: number; bytes: number }
  | ({ type: 'exit'; process_id: string; output_bytes: number } & ProcessEnd);

/** Text, and the bytes as well if they are not valid UTF-8. */
export function toContent(bytes: Buffer): { content: string; base64?: string } {
  const content = bytes.toString();
  return isUtf8(bytes) ? { content } : { content, base64: bytes.toString('base64') };
}

const EVENT_STREAM = 'text/event-stream';

export interface StreamFormat {
  type: string;
  encode(event: ExecEvent): Buffer;
  /** Sent while nothing happens, so that a broken connection is noticed. */
  silence: Buffer;
}

/** Server-sent events; the ID of an event is the offset from which reading continues after it. */
const events: StreamFormat = {
  type: `${EVENT_STREAM}; charset=utf-8`,
  silence: Buffer.from(': nothing new\n\n'),
  encode(event) {
    const { type, ...rest } = event;
    if ('bytes' in event && typeof event.bytes !== 'number') {
      const { offset, bytes } = event;
      const data = JSON.stringify({ offset, ...toContent(bytes) });
      return Buffer.from(`id: ${offset + bytes.length}\nevent: ${type}\ndata: ${data}\n\n`);
    }
    return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(rest)}\n\n`);
  },
};

const frames: StreamFormat = {
  type: EXEC_FRAMES,
  silence: toFrame('event', Buffer.alloc(0)),
  encode(event) {
    if ('bytes' in event && typeof event.bytes !== 'number')
      return toFrame(event.type as OutputStream, event.bytes);
    return toFrame('event', Buffer.from(JSON.stringify(event)));
  },
};

/** The form of the response that a client wants; JSON, if it names neither of the streams. */
export function chooseFormat(accept: string | undefined): StreamFormat | undefined {
  if (accept?.includes(EXEC_FRAMES)) return frames;
  return accept?.includes(EVENT_STREAM) ? events : undefined;
}
