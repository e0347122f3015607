/** Converts a wrapper's JSON log lines to text for people. Pure. */

/** The text of a JSON log line: its message and its error. Any other line is returned unchanged. */
export function readableLine(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { msg, error, hint } = JSON.parse(line) as Record<string, unknown>;
    if (typeof msg !== 'string') return line;
    const why = typeof error === 'string' ? error.split('\n', 1)[0] : undefined;
    return [why ? `${msg}: ${why}` : msg, ...(typeof hint === 'string' ? [hint] : [])].join('; ');
  } catch {
    return line;
  }
}

/** Makes a log line within a message readable, for records of an earlier version. */
export function readableMessage(message: string): string {
  const at = message.indexOf('{"level":');
  const end = message.lastIndexOf('}') + 1;
  if (at < 0 || end <= at) return message;
  return message.slice(0, at) + readableLine(message.slice(at, end)) + message.slice(end);
}
