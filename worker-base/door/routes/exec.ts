/** The door's routes of processes: start, list, attach, write to, signal and kill them. */
import { constants } from 'node:os';
import { sendJson } from '../../../src/http/send-json.ts';
import { EXEC_RESULT, type ExecResult } from '../../../src/model/doors/exec-result.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { readExecRequest } from '../../exec/exec-request.ts';
import { chooseFormat, type ProcessEnd, toContent } from '../../exec/format.ts';
import { getProcessTable } from '../../exec/open-table.ts';
import type { ProcessEntry, ProcessTable } from '../../exec/process-table.ts';
import { sendOutput } from '../../exec/send-output.ts';
import { readJson } from '../json.ts';
import type { DoorBody, DoorRequest, DoorRoute } from '../route.ts';

export const execRoutes: DoorRoute[] = [
  { method: 'POST', path: '/exec', handle: execute },
  {
    method: 'GET',
    path: '/processes',
    handle: async (call) => sendJson(call.response, 200, { items: (await openTable(call.body)).list() }),
  },
  {
    method: 'GET',
    path: '/processes/:process_id',
    handle: async (call) => sendJson(call.response, 200, (await find(call)).info()),
  },
  {
    method: 'DELETE',
    path: '/processes/:process_id',
    handle: async ({ body, params, response }) =>
      sendJson(response, 200, await (await openTable(body)).remove(params.process_id ?? '')),
  },
  {
    method: 'POST',
    path: '/processes/:process_id/stdin',
    async handle(call) {
      const { process } = await find(call);
      if (!process) throw ended();
      const bytes = await process.writeInput(call.request, call.query.get('close') === 'true');
      sendJson(call.response, 200, { bytes });
    },
  },
  {
    method: 'POST',
    path: '/processes/:process_id/signal',
    async handle(call) {
      const { signal } = (await readJson(call.request)) as { signal?: unknown };
      if (typeof signal !== 'string' || !Object.hasOwn(constants.signals, signal))
        throw new Fault('invalid_command', 'The request was refused: signal must be a name such as SIGINT.');
      const entry = await find(call);
      if (!entry.process?.signal(signal as NodeJS.Signals)) throw ended();
      sendJson(call.response, 200, entry.info());
    },
  },
  {
    method: 'GET',
    path: '/processes/:process_id/output',
    async handle(call) {
      const entry = await find(call);
      const { request, response, query } = call;
      const from = Number(request.headers['last-event-id'] ?? query.get('offset') ?? 0);
      if (!Number.isSafeInteger(from) || from < 0)
        throw new Fault('invalid_command', 'The request was refused: offset must be a number of bytes.');
      const format = chooseFormat(request.headers.accept) ?? chooseFormat('text/event-stream');
      if (!format) return;
      response.writeHead(200, { 'content-type': format.type, 'x-accel-buffering': 'no' });
      const follow = query.get('follow') !== 'false';
      await sendOutput(response, entry, format, { from, follow });
      response.end();
    },
  },
];

async function execute({ body, request, response }: DoorRequest): Promise<void> {
  const wanted = readExecRequest(await readJson(request));
  const table = await openTable(body);
  // A client that has gone while the agent's environment was prepared starts nothing.
  if (response.destroyed) return;
  const entry = await table.start(wanted);
  const format = chooseFormat(request.headers.accept);
  if (!wanted.detach) response.once('close', () => void entry.process?.kill('Its client has disconnected.'));
  if (format) {
    // The result comes after the end, as a trailer.
    response.writeHead(200, { 'content-type': format.type, trailer: EXEC_RESULT, 'x-accel-buffering': 'no' });
    const complete = await sendOutput(response, entry, format, { from: 0, follow: true });
    if (complete) response.addTrailers({ [EXEC_RESULT]: toResult(await entry.ended) });
    response.end();
  } else if (wanted.detach) {
    sendJson(response, 201, entry.info(), { [EXEC_RESULT]: 'detached' });
  } else {
    const end = await entry.ended;
    sendJson(response, 200, toAnswer(entry, end), { [EXEC_RESULT]: toResult(end) });
  }
}

/** The result of a process, with what is kept of its output. */
function toAnswer({ id, log }: ProcessEntry, end: ProcessEnd): object {
  const [stdout, stderr] = [toContent(log.text('stdout')), toContent(log.text('stderr'))];
  return {
    process_id: id,
    ...end,
    stdout: stdout.content,
    stderr: stderr.content,
    ...(stdout.base64 !== undefined && { stdout_base64: stdout.base64 }),
    ...(stderr.base64 !== undefined && { stderr_base64: stderr.base64 }),
    ...(log.start > 0 && { truncated: true }),
  };
}

function toResult({ exit_code, signal, oom, timed_out, error }: ProcessEnd): ExecResult {
  if (oom) return 'oom';
  if (timed_out) return 'timeout';
  if (signal) return 'signal';
  if (exit_code === 126 && error) return 'refused';
  return exit_code === 0 ? 'success' : 'failure';
}

async function openTable({ environment, settings, spec, signal }: DoorBody): Promise<ProcessTable> {
  const table = getProcessTable(await environment(), settings, spec);
  if (!closing.has(signal)) {
    closing.add(signal);
    signal.addEventListener('abort', () => void table.close(), { once: true });
  }
  return table;
}

/** Bodies whose end is already waited for. */
const closing = new WeakSet<AbortSignal>();

const find = async ({ body, params }: Pick<DoorRequest, 'body' | 'params'>): Promise<ProcessEntry> =>
  (await openTable(body)).get(params.process_id ?? '');

const ended = () =>
  new Fault('conflict', 'The process has ended, or its standard input is closed.', {
    reason: 'stdin_closed',
  });
