/** Reads commands from entries. No content of an entry is an error of the reader. */
import {
  COMMAND_NAMES,
  type Command,
  commonFields,
  computeDigest,
  ENTRY_LIMIT,
  errorMessage,
  Fault,
  parseCommand,
  takeHead,
} from '../model/index.ts';
import type { CommandEntry, CommandSettlement } from '../store/index.ts';
import { failureResponse, type Plan } from './context.ts';

/** Number of deliveries after which an entry that was never settled is set aside. */
const MAX_DELIVERIES = 5;
/** Maximum length of an unknown command's name in a response. */
const NAME_LENGTH = 64;

/** What to do for an entry, and the name of its command. */
export type EntrySettlement = CommandSettlement & Plan & { name: string };

type CommandFields = Record<string, unknown>;

/** A valid command, or the result of an entry that is not one. */
export type ParsedEntry = { name: string; command: Command; fingerprint: string } | EntrySettlement;

/** Never throws. */
export function parseEntry(entry: CommandEntry): ParsedEntry {
  const fields = readFields(entry);
  if (typeof fields === 'string') {
    const fault = new Fault('invalid_command', `The entry ${entry.id} of worker:commands ${fields}.`);
    return { ...toRejection(entry, {}, fault), operation: 'dead', name: 'unreadable' };
  }
  const name = COMMAND_NAMES.find((known) => known === fields.command) ?? 'invalid';
  if (entry.deliveries >= MAX_DELIVERIES) {
    const why = `was tried ${entry.deliveries - 1} times without success; see the manager's log`;
    const fault = new Fault('internal', `The entry ${entry.id} of worker:commands ${why}.`);
    return { ...toRejection(entry, fields, fault), operation: 'dead', name };
  }
  try {
    const { request_id: _, reply_to: __, traceparent: ___, ...rest } = fields;
    return { name, command: parseCommand(fields), fingerprint: computeDigest(rest) };
  } catch (error) {
    return { ...toRejection(entry, fields, error as Fault), name };
  }
}

/** The object in an entry, or why there is none. */
function readFields({ data, bytes }: CommandEntry): CommandFields | string {
  if (bytes > ENTRY_LIMIT) return `has ${bytes} bytes; the limit is ${ENTRY_LIMIT}`;
  if (data === undefined) return 'has no field "data"';
  let fields: unknown;
  try {
    fields = JSON.parse(data);
  } catch (error) {
    return `is not JSON: ${takeHead(errorMessage(error), 200)}`;
  }
  const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
  return isObject ? (fields as CommandFields) : 'is not a JSON object';
}

/** The response to a command that cannot be executed, with as many of its own fields as are valid. */
function toRejection(entry: CommandEntry, fields: CommandFields, fault: Fault): CommandSettlement {
  // If the command itself is unknown, its other fields are not checked.
  const requestId = commonFields.request_id.safeParse(fields.request_id).data ?? '';
  const replyTo = commonFields.reply_to.safeParse(fields.reply_to).data;
  const names = {
    ...(typeof fields.command === 'string' && { command: takeHead(fields.command, NAME_LENGTH) }),
    ...(requestId ? { request_id: requestId } : { entry_id: entry.id }),
  };
  return {
    entry,
    requestId,
    replyTo,
    operation: 'answer',
    answers: { ok: failureResponse(names, fault) },
  };
}
