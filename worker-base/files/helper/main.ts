/**
 * The file helper: the program that reads and writes the workspace for clients, as the agent's user. The wrapper starts it with the
 * first request for files, and passes such requests on to it; it ends with the wrapper, which also ends it when it has been idle.
 *
 * Invariants: it serves only connections with the secret from its standard input; an error ends its own request and nothing else;
 * it touches nothing outside of the workspace.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { errorResponse } from '../../../src/http/route.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import type { FileHelperSettings } from '../helper-options.ts';
import { type FileCall, parseQuery } from './call.ts';
import { FailedCondition } from './conditions.ts';
import { createFolder, listFolder, move, removeFile } from './folders.ts';
import { useGroup } from './group.ts';
import { sendArchive } from './pack.ts';
import { WorkspaceFolder } from './place.ts';
import { readFile, statFile } from './read-file.ts';
import { receiveArchive } from './unpack.ts';
import { watchFolder } from './watch.ts';
import { writeFile } from './write-file.ts';

/** A client that reads nothing for this time in milliseconds is disconnected; the manager does so earlier. */
const STALLED_MS = 60_000;

type Handler = (call: FileCall) => Promise<void>;

/** What handles a request; undefined if nothing does. */
function findHandler(kind: string, method: string, query: FileCall['query']): Handler | undefined {
  if (kind === 'watch') return method === 'GET' ? watchFolder : undefined;
  if (kind === 'archive') return { GET: sendArchive, PUT: receiveArchive }[method];
  if (kind !== 'files') return undefined;
  if (method === 'POST') return query.has('move_to') ? move : query.has('mkdir') ? createFolder : undefined;
  if (method === 'GET' && query.has('list')) return listFolder;
  if (method === 'GET' && query.has('stat')) return statFile;
  return { GET: readFile, HEAD: readFile, PUT: writeFile, DELETE: removeFile }[method];
}

async function serve(options: FileHelperSettings): Promise<void> {
  useGroup(options.group);
  const workspace = new WorkspaceFolder(options.workspace);
  const secret = Buffer.from(`Bearer ${options.secret}`);
  const server = createServer(
    { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true, highWaterMark: 256 * 1024 },
    (request, response) => {
      const given = Buffer.from(request.headers.authorization ?? '');
      if (given.length !== secret.length || !timingSafeEqual(given, secret)) {
        request.socket.destroy();
        return;
      }
      handle(workspace, request, response).catch((error: unknown) => fail(response, error, request));
    },
  );
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: options.address }, resolve);
  });
  process.stdout.write('ready\n');
}

async function handle(
  workspace: WorkspaceFolder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const [, kind = '', ...rest] = path.split('/');
  const query = parseQuery(search);
  const handler = findHandler(kind, request.method ?? '', query);
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  // Ignoring them would replace what the client wants to protect.
  if (kind === 'archive' && request.method === 'PUT' && (match ?? noneMatch) !== undefined)
    throw new Fault('unsupported', 'An archive has no If-Match and no If-None-Match.');
  if (!handler) throw new Fault('unsupported', `Files have no ${request.method} with these parameters.`);
  response.setTimeout(STALLED_MS, () => {
    // An upload may pause.
    if (response.writableLength > 0) response.destroy();
  });
  await handler({ workspace, request, response, path: rest.join('/'), query });
}

function fail(response: ServerResponse, thrown: unknown, request: IncomingMessage): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const fault =
    thrown instanceof Fault ? thrown : new Fault('internal', 'The request failed in the body; see its log.');
  if (fault.code === 'internal' && !request.destroyed)
    process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  const { status, headers, body } = errorResponse(
    fault,
    fault instanceof FailedCondition ? fault.status : undefined,
  );
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  // What is left of the request's body is not read: the wrapper closes the connection when it has the response, which an earlier
  // close could destroy.
  response.end(request.method === 'HEAD' ? undefined : body);
}

const [line] = await firstLine();
await serve(JSON.parse(line ?? '{}') as FileHelperSettings);

/** The options, which come first; the wrapper's end is the end of the standard input. */
async function firstLine(): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  let read = '';
  process.stdin.on('data', (part: Buffer) => {
    read += part.toString();
    if (read.includes('\n')) resolve(read.split('\n', 1));
  });
  process.stdin.on('end', () => process.exit(0));
  return promise;
}
