/** A git server over HTTP on the loopback: git's own http-backend, with or without a password. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GitServer {
  /** The URL of its repository. */
  url: string;
  /** IDs of its commits on `main`, oldest first. */
  commits: string[];
  /** The credentials that requests had, each once. */
  credentials: Set<string>;
  /** Called for every request; a promise delays the answer. */
  onRequest: (path: string) => Promise<void> | void;
  close(): Promise<void>;
}

const ENV = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

/** Serves a repository of three commits on `main`, and a branch and a tag; `password` is `user:password`. */
export async function startGitServer({ password }: { password?: string } = {}): Promise<GitServer> {
  const root = mkdtempSync(join(tmpdir(), 'wm-git-'));
  const work = join(root, 'work');
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: work, env: ENV, encoding: 'utf8' }).trim();
  execFileSync('git', ['init', '-q', '-b', 'main', work], { env: ENV });
  const commits = ['one', 'two', 'three'].map((text) => {
    writeFileSync(join(work, 'file'), text);
    git('add', '.');
    git('commit', '-q', '-m', text);
    return git('rev-parse', 'HEAD');
  });
  git('tag', 'v2', commits[1] ?? '');
  git('branch', 'old/one', commits[0] ?? '');
  execFileSync('git', ['clone', '-q', '--bare', work, join(root, 'repository.git')], { env: ENV });
  const wanted = password && `Basic ${Buffer.from(password).toString('base64')}`;
  const server: Omit<GitServer, 'url' | 'close'> = { commits, credentials: new Set(), onRequest: () => {} };
  const http = createServer(async (request, response) => {
    if (request.headers.authorization) server.credentials.add(request.headers.authorization);
    await server.onRequest(request.url ?? '');
    if (wanted && request.headers.authorization !== wanted)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    serve(root, request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return Object.assign(server, {
    url: `http://127.0.0.1:${port}/repository.git`,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      rmSync(root, { recursive: true });
    },
  });
}

/** One request to git's CGI program. */
function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...ENV,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
      // Any commit may be fetched by its ID, as from the large hosts.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'uploadpack.allowAnySHA1InWant',
      GIT_CONFIG_VALUE_0: 'true',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  let head = Buffer.alloc(0);
  child.stdout.on('data', (part: Buffer) => {
    if (response.headersSent) return void response.write(part);
    head = Buffer.concat([head, part]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = Object.fromEntries(
      head
        .subarray(0, end)
        .toString('latin1')
        .split('\r\n')
        .map((line) => line.split(/: (.*)/s).slice(0, 2)),
    );
    const { Status: status = '200', ...rest } = headers;
    response.writeHead(Number.parseInt(status, 10), rest);
    response.write(head.subarray(end + 4));
  });
  child.once('close', () => response.end());
}
