/**
 * Removes machine-specific and time-specific values from a recording, so that a second one differs only by
 * the CLI.
 */

/** Long lists of other capabilities of the CLI, which are of no use to a reader. */
const BULK = [
  'commands',
  'slash_commands',
  'skills',
  'agents',
  'plugins',
  'models',
  'available_output_styles',
  'account',
  'availableModels',
  'pid',
  'timing',
  'tools',
  'memory_paths',
  'hooks',
  'terminalId',
  'messaging_socket_path',
  'hookOrder',
];
const MOMENT = /(^|_)(timestamp|ttft|time)$|_ms$|Ms$|At$|_at$|duration/i;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Values at machine-specific paths. */
const HASH = /\bsha256:[0-9a-f]{64}\b/g;
/** A list in an answer to Codex, not only in a notification. */
const isAskedBack = (value: unknown) => JSON.stringify(value).includes('"currentHash"');

/** One scrubber for a whole session: equal IDs stay equal. `texts` are replaced everywhere. */
export function scrubber(texts: [string, string][]): (value: unknown, name?: string) => unknown {
  const ids = new Map<string, string>();
  const idOf = (id: string) => {
    const known = ids.get(id) ?? `00000000-0000-4000-8000-${String(ids.size + 1).padStart(12, '0')}`;
    ids.set(id, known);
    return known;
  };
  return function scrub(value, name = ''): unknown {
    if (BULK.includes(name) && !isAskedBack(value)) return Array.isArray(value) ? [] : null;
    if (typeof value === 'number' && MOMENT.test(name)) return 0;
    if (typeof value === 'string') {
      if (MOMENT.test(name)) return '2026-01-01T00:00:00.000Z';
      let text = value;
      for (const [from, to] of texts) text = text.replaceAll(from, to);
      return text.replace(UUID, idOf).replace(HASH, 'sha256:0');
    }
    if (Array.isArray(value)) return value.map((entry) => scrub(entry));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [scrub(key), scrub(inner, key)]));
  };
}
