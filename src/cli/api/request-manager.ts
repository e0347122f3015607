import { Option } from 'commander';
import { type CommandResponse, Fault, parseCommand, toCommandEntry } from '../../model/index.ts';
import { timeoutSignal } from '../../queue/long-timer.ts';
import type { Context } from '../context.ts';
import { TimedOut } from '../exit.ts';
import type { Session } from '../session.ts';
import { parseSeconds } from '../values.ts';

/** Default timeout of a response, in seconds. */
export const RESPONSE_SECONDS = 10;

/** `--timeout` of a verb with `--wait`, which has another default. */
export const timeoutOption = (waitSeconds: number): Option =>
  new Option(
    '--timeout <time>',
    `how long to wait (default: ${RESPONSE_SECONDS}s, with --wait ${waitSeconds}s)`,
  ).argParser(parseSeconds);

/**
 * Writes a command to the stream like any orchestrator and waits for its response on a separate stream. Throws a Fault
 * `invalid_command` before anything is sent, and `TimedOut` if no response arrives; the command is not withdrawn then.
 */
export async function requestManager(
  { newId, out }: Pick<Context, 'newId' | 'out'>,
  session: Session,
  fields: Record<string, unknown> & { command: string; request_id: string },
  seconds: number,
): Promise<CommandResponse> {
  const { redis, store } = session;
  const reply_to = `worker:responses:cli-${newId()}`;
  const command = { ...fields, reply_to };
  parseCommand(command);
  const entry = toCommandEntry(command);
  const { signal: timeout, cancel } = timeoutSignal(Math.ceil(seconds * 1000));
  const stopTelling = seconds > RESPONSE_SECONDS ? noteIfLate(session, out) : () => {};
  try {
    await redis.xadd(store.keys.commands, '*', 'data', entry);
    for await (const { data } of session.follow(reply_to, '0', timeout)) {
      await redis.del(reply_to);
      return data as CommandResponse;
    }
  } finally {
    cancel();
    stopTelling();
  }
  throw new TimedOut(await explainNoResponse(session, fields, seconds));
}

/** Reports to a user who has waited for a while why there is no response yet. */
function noteIfLate(session: Session, out: Context['out']): () => void {
  const timer = setTimeout(() => {
    describeLeader(session, RESPONSE_SECONDS).then(
      (who) => out.note(`note: ${who}. Still waiting.`),
      () => {},
    );
  }, RESPONSE_SECONDS * 1000);
  return () => clearTimeout(timer);
}

/** Converts the error of a response to the Fault that it was created from. */
export function toFault({ error }: CommandResponse): Fault {
  if (!error) return new Fault('internal', 'The manager refused the command without a reason.');
  return new Fault(error.code, error.message, error.issues ? { issues: error.issues } : {});
}

async function explainNoResponse(
  session: Session,
  { command, request_id }: { command: string; request_id: string },
  seconds: number,
): Promise<string> {
  const { keys } = session.store;
  const who = await describeLeader(session, seconds);
  const rest = `The command ${command} is on ${keys.commands} and will run when a manager reads it; get its response with --request-id ${request_id}`;
  return `${who}. ${rest}.`;
}

async function describeLeader(session: Session, seconds: number): Promise<string> {
  const leader = await session.leader();
  return leader
    ? `The manager ${leader.owner} leads but has not responded in ${seconds} s`
    : `No manager leads the cell ${session.settings.cell}; start one with \`wm serve\``;
}
