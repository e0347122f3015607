import { encodeName } from '../check-values.ts';
import type { CommandTransport } from '../door-transports.ts';
import type { CommandEvent, Page, ProcessInfo } from '../types.ts';
import { readEventStream } from './event-stream.ts';
import { type HttpRequest, type HttpRequester, jsonBody } from './request.ts';

const execPath = (id: string) => `/v1/workers/${encodeName(id)}/exec`;
const processPath = (id: string, processId = '', rest = '') =>
  `/v1/workers/${encodeName(id)}/processes${processId && `/${encodeName(processId)}`}${rest}`;

export const createHttpCommands = (requester: HttpRequester): CommandTransport => ({
  runProcess: (id, request, signal) =>
    readExecEvents(requester, { method: 'POST', path: execPath(id), body: jsonBody(request) }, signal),
  // Once: a repetition would run the command again.
  startProcess: (id, request, options) =>
    requester.once<ProcessInfo>(
      { method: 'POST', path: execPath(id), body: jsonBody({ ...request, detach: true }) },
      options,
    ),
  readProcess: (id, processId, offset, signal) =>
    readExecEvents(
      requester,
      { method: 'GET', path: processPath(id, processId, '/output'), query: { offset } },
      signal,
    ),
  listProcesses: async (id, options) =>
    (await requester.get<Pick<Page<ProcessInfo>, 'items'>>(processPath(id), options)).items,
  async killProcess(id, processId, options) {
    await requester.once({ method: 'DELETE', path: processPath(id, processId) }, options);
  },
  async writeToProcess(id, processId, bytes, close, { signal }) {
    const request: HttpRequest = {
      method: 'POST',
      path: processPath(id, processId, '/stdin'),
      query: { close },
      body: { type: 'application/octet-stream', bytes },
    };
    // As long as the command takes to read it.
    await requester.once(request, { signal, timeoutMs: Number.POSITIVE_INFINITY });
  },
});

/** The events of a response; it was cut if there is no `exit`. */
async function* readExecEvents(
  requester: HttpRequester,
  request: HttpRequest,
  signal: AbortSignal,
): AsyncGenerator<CommandEvent> {
  const headers = { accept: 'text/event-stream' };
  const response = await requester.open({ ...request, headers }, signal);
  let exit: CommandEvent | undefined;
  try {
    for await (const { event, data } of readEventStream(response.body, signal)) {
      const fields = JSON.parse(data) as { content: string; base64?: string; offset: number };
      if (event === 'stdout' || event === 'stderr') {
        const { content, base64, offset } = fields;
        const bytes = base64 === undefined ? new TextEncoder().encode(content) : fromBase64(base64);
        yield { type: event, offset, bytes };
      } else if (event === 'exit') exit = { ...fields, type: event } as unknown as CommandEvent;
      else yield { ...fields, type: event } as unknown as CommandEvent;
    }
  } catch (error) {
    if (!exit) throw error;
  }
  // The last event, after the end of the response: without it, the connection would be cut, and not used again.
  if (exit) yield exit;
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
