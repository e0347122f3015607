/** Log lines of a wrapper, which are JSON for machines, as text for people. Pure. */

/** What a JSON log line says: its message, and the error that it names. Anything else is returned as it is. */
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

/** A message with the log line in it made readable, for records that an earlier version wrote. */
export function readableMessage(message: string): string {
  const at = message.indexOf('{"level":');
  const end = message.lastIndexOf('}') + 1;
  if (at < 0 || end <= at) return message;
  return message.slice(0, at) + readableLine(message.slice(at, end)) + message.slice(end);
}
