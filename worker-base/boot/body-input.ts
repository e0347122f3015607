/**
 * Messages of the input that are for the body and not for its agent, such as `exec`. They do not wait for a turn. What handles
 * a kind is loaded with the first message of that kind.
 */
import { Fault } from '../../src/model/values/fault.ts';
import { toPartFault } from '../missing-part.ts';
import type { InputEntry } from '../streams/input.ts';
import type { Boot } from './boot.ts';

/** Handles messages of one kind; never throws. */
interface BodyInput {
  handle(entryId: string, message: Record<string, unknown>): void;
}

const openFiles = async (boot: Boot): Promise<BodyInput> => {
  const [{ FileInput }, { getBodyFiles }] = await Promise.all([
    import('../files/file-input.ts'),
    import('../files/body-files.ts'),
  ]);
  const { environment, settings, start, output, log } = boot;
  const files = getBodyFiles(environment, settings, start.spec, log);
  const input = new FileInput({ files, output, acknowledge: async (id) => boot.input?.acknowledge(id) });
  boot.closing.push(async () => {
    files.helper.close();
    await input.settled();
  });
  return input;
};

const KINDS: Record<string, (boot: Boot) => Promise<BodyInput>> = {
  exec: async (boot) => {
    const [{ ExecInput }, { getProcessTable }] = await Promise.all([
      import('../exec/exec-input.ts'),
      import('../exec/open-table.ts'),
    ]);
    const { environment, settings, start, output } = boot;
    const table = getProcessTable(environment, settings, start.spec);
    const input = new ExecInput({
      table,
      output,
      acknowledge: async (id) => boot.input?.acknowledge(id),
    });
    boot.closing.push(async () => {
      await table.close();
      await input.settled();
    });
    return input;
  },
  read_file: openFiles,
  write_file: openFiles,
};
/** Only a message that has one of these names is parsed here: the others are parsed by the workload. */
const NAMES = new RegExp(`"type"\\s*:\\s*"(${Object.keys(KINDS).join('|')})"`);

const inputs = new WeakMap<Boot, Map<string, Promise<BodyInput>>>();

/** Passes the entry on if it is for the body; returns whether it was. */
export function passToBody(boot: Boot, { id, data }: InputEntry): boolean {
  const message = data !== undefined && NAMES.test(data) ? parse(data) : undefined;
  const kind = typeof message?.type === 'string' ? message.type : '';
  const open = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (!message || !open) return false;
  const opened = inputs.get(boot) ?? new Map<string, Promise<BodyInput>>();
  inputs.set(boot, opened);
  const input = opened.get(kind) ?? open(boot);
  opened.set(kind, input);
  void input
    .then((one) => one.handle(id, message))
    .catch((error: unknown) => {
      opened.delete(kind);
      refuse(boot, { id, kind, message }, error);
    });
  return true;
}

/** The last entry of a message that nothing can handle. */
function refuse(
  { output, input }: Boot,
  { id, kind, message }: { id: string; kind: string; message: Record<string, unknown> },
  error: unknown,
): void {
  const fault = toPartFault(error);
  const { code, message: why } =
    fault instanceof Fault ? fault : new Fault('internal', 'The request failed in the body.');
  const { request_id } = message;
  const ids = { ...(typeof request_id === 'string' && { request_id }), entry_id: id, error: why };
  if (kind === 'exec')
    output.emit('exec_completed', why, { ...ids, exit_code: null, signal: null, reason: code });
  else output.emit('file', why, { ...ids, operation: kind.replace('_file', ''), last: true, code });
  void input?.acknowledge(id);
}

function parse(data: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
