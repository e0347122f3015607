/**
 * Log lines for a terminal: the fields of a change become a sentence, and other fields `name=value` behind the message.
 * Pure; programs get JSON with the constant message instead.
 */

type Fields = Record<string, unknown>;

/** Fields that the formatter prints elsewhere or that are the same in every line. */
const FRAME = ['level', 'time', 'msg', 'err', 'error', 'service', 'version', 'pid', 'hostname'];
/** Characters of an ID, as in `wm ps`. */
const SHORT_ID = 8;

/** The line with its fields in its message; errors keep their field, because they have several lines. */
export function toReadable(line: Fields): Fields {
  const { msg } = line;
  const sentence = SENTENCES[String(msg)];
  const { text, used } = sentence ? sentence(line) : { text: String(msg ?? ''), used: [] };
  const skipped = new Set([...FRAME, ...used]);
  const rest = Object.entries(line).filter(([name, value]) => !skipped.has(name) && value !== undefined);
  const framed = Object.entries(line).filter(([name]) => FRAME.includes(name));
  const fields = rest.map(([name, value]) => `${name}=${formatValue(name, value)}`);
  return { ...Object.fromEntries(framed), msg: [text, ...fields].join('  ') };
}

const SENTENCES: Record<string, (line: Fields) => { text: string; used: string[] }> = {
  'worker changed': ({ worker_id, status, phase, reason, message, incarnation, actions }) => {
    const again = Number(incarnation) > 1 ? ` (incarnation ${incarnation})` : '';
    const why = [reason, message].filter(Boolean).join(': ');
    const acts = Array.isArray(actions) && actions.length > 0 ? `  → ${actions.join(', ')}` : '';
    return {
      text: `worker ${shorten(worker_id)} ${status} ${phase}${again}${why && `  ${why}`}${acts}`,
      used: [
        ...['worker_id', 'status', 'phase', 'reason', 'message', 'incarnation', 'actions'],
        ...['timestamp', 'type', 'rule'],
      ],
    };
  },
  'command settled': ({ command, result, worker_id, why }) => ({
    text: `command ${command} ${result}${worker_id ? `  worker ${shorten(worker_id)}` : ''}${why ? `  ${why}` : ''}`,
    used: ['command', 'result', 'worker_id', 'why'],
  }),
};

const shorten = (id: unknown) => String(id).slice(0, SHORT_ID);

function formatValue(name: string, value: unknown): string {
  if (name === 'worker_id') return shorten(value);
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}
