import { writeSync } from 'node:fs';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/** One JSON line an event, to the body's own stderr. Never holds Redis's address, prompts or output. */
export type Log = Record<Level, (msg: string, fields?: Record<string, unknown>) => void>;

/** A log that never throws: a full or closed stderr loses lines and harms nothing else. */
export function makeLog(level: string, workerId: string, incarnation: number): Log {
  const least = Math.max(
    LEVELS.indexOf(level as Level),
    level === 'fatal' || level === 'silent' ? LEVELS.length : 0,
  );
  const write = (at: Level) => (msg: string, fields?: Record<string, unknown>) => {
    if (LEVELS.indexOf(at) < least) return;
    const line = {
      level: at,
      time: new Date().toISOString(),
      msg,
      worker_id: workerId,
      incarnation,
      ...fields,
    };
    try {
      writeSync(2, `${JSON.stringify(line)}\n`);
    } catch {
      // Nobody reads, or the pipe is full: a log line is not worth an agent's life.
    }
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
