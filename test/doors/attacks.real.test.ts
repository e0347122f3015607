/** Hostile input at the doors of a worker, through a real manager: each gets a clear error with its code, and nothing else suffers. */
import { connect as dial } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { LONG, openAttacked, SPEC, testUnharmed } from './attacked.ts';
import { createFilesApi } from './files-api.ts';

const subject = openAttacked();

const exec = async (request: object | string) => {
  const body = Buffer.from(typeof request === 'string' ? request : JSON.stringify(request));
  const headers = { 'content-type': 'application/json' };
  const response = await subject.api.call.raw('POST', 'exec', { headers, body });
  return { status: response.statusCode, body: JSON.parse(await text(response)) };
};
const refused = (status: number, code: string, more: object = {}) => ({
  status,
  body: { error: { code, ...more } },
});
const long = (length: number) => 'x'.repeat(length);

describe('a command', () => {
  test.each<[string, object | string]>([
    ['an argument of 1 MB', { command: ['echo', long(1_000_000)] }],
    ['10,000 arguments', { command: Array(10_000).fill('true') }],
    ['a line of 500 KB', { shell: long(500_000) }],
    ['a variable of 1 MB', { command: ['true'], env: { A: long(1_000_000) } }],
    [
      '5,000 variables',
      { command: ['true'], env: Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`V${n}`, 'x'])) },
    ],
    ['a variable named __proto__', '{"command":["true"],"env":{"__proto__":"x"}}'],
    ['NUL in its directory', { command: ['pwd'], cwd: 'a\0b' }],
    ['a directory of 100 KB', { command: ['pwd'], cwd: 'x/'.repeat(50_000) }],
    ['a time of 1e308', { command: ['true'], timeout_seconds: 1e308 }],
    ['half of a document', '{"command": ["tr'],
    ['400,000 brackets', '['.repeat(400_000)],
  ])('with %s is refused before it starts', async (_what, request) => {
    expect(await exec(request)).toMatchObject(refused(400, 'invalid_command'));
  });

  test('as large as is allowed runs', async () => {
    const command = ['sh', '-c', 'echo $# $' + '{#A}', 'x', ...Array(8).fill(long(100_000))];
    expect((await exec({ command, env: { A: long(100_000) } })).body).toMatchObject({ stdout: '8 100000\n' });
  });

  test.each([
    'processes/%00',
    'processes/..%2f..%2fx',
    'processes/x/output?offset=1e30',
    'processes/x/output?offset=-1',
  ])('%s is refused', async (path) => {
    expect(await subject.api.call('GET', path)).toMatchObject(refused(400, 'invalid_command'));
  });

  test('while its body is restarted runs in one of the two, or fails with a code', {
    timeout: LONG,
  }, async () => {
    const results: { status: number | undefined; body: Record<string, unknown> }[] = [];
    let stop = false;
    const client = async () => {
      while (!stop) results.push(await exec({ shell: 'echo $WORKER_INCARNATION' }));
    };
    const clients = Array.from({ length: 4 }, client);
    for (let round = 0; round < 3; round += 1) await subject.worker.restart({ wait: 'ready' });
    // One of them at least is run by the last body.
    const ran = () => results.map(({ body }) => body.stdout);
    await vi.waitFor(() => expect(ran()).toContain('4\n'), { timeout: 30_000, interval: 20 });
    stop = true;
    await Promise.all(clients);
    const seen = new Set<string>();
    for (const { status, body } of results) {
      const { stdout, signal, error } = body as {
        stdout?: string;
        signal?: string;
        error?: { code: string };
      };
      if (status === 200 && !signal) seen.add(String(stdout));
      else if (status === 200) expect(['SIGKILL', 'SIGTERM']).toContain(signal);
      else expect([status, error?.code]).toEqual([503, 'unavailable']);
    }
    expect([...seen]).toContain('4\n');
  });
});

describe('a path', () => {
  const outside = refused(400, 'invalid_command', { reason: 'outside_workspace' });
  const invalid = refused(400, 'invalid_command', { reason: 'invalid_path' });
  const missing = refused(404, 'not_found', { reason: 'no_file' });
  test.each<[string, object]>([
    ['%2e%2e/x', outside],
    ['.%2e/x', outside],
    ['..%2fx', outside],
    ['%2e%2e%2f%2e%2e%2fetc%2fpasswd', outside],
    ['/', outside],
    ['%2f', outside],
    ['%252e%252e/x', missing],
    ['%c0%ae%c0%ae/x', missing],
    ['..;/x', missing],
    ['%5c..%5cx', missing],
    ['a%00b', invalid],
    ['%', invalid],
    ['%zz', invalid],
    ['%fe'.repeat(256), invalid],
    ['x/'.repeat(3000), invalid],
  ])('%s is what it is, for reading and writing', async (path, expected) => {
    expect(await subject.api.call('GET', `files/${path}`)).toMatchObject(expected);
    if (expected !== missing)
      expect(await subject.api.put(`files/${path}`, Buffer.from('x'))).toMatchObject(expected);
  });

  test('that leaves the workspace is shown in the error as it is', async () => {
    const { body } = (await subject.api.call('GET', 'files//')) as { body: { error?: { message?: string } } };
    expect(body.error?.message).toMatch(/^\/ is outside of the workspace/);
  });

  test.each([
    ['bytes=-5--1', 200, '0123456789'],
    ['bytes=5-2', 200, '0123456789'],
    ['bytes=0-1,0-1,0-1', 200, '0123456789'],
    [`bytes=${'0-,'.repeat(3000)}`, 200, '0123456789'],
    ['bytes=0-99999999999999999999999', 206, '0123456789'],
    ['bytes=-99999999999999999999999', 206, '0123456789'],
    ['bytes=-0', 416, undefined],
    ['bytes=99999999999999999999-', 416, undefined],
    ['bytes=1e1-2e1', 200, '0123456789'],
  ] as const)('with the range %s', async (range, status, content) => {
    const response = await subject.api.get('files/digits', { range });
    const answer = await text(response);
    expect(response.statusCode).toBe(status);
    if (content !== undefined) expect(answer).toBe(content);
    else expect(JSON.parse(answer).error).toMatchObject({ code: 'invalid_command', reason: 'range' });
  });
});

describe('a request', () => {
  /** Sends these bytes; resolves with all that is answered. */
  const raw = (bytes: string | Buffer): Promise<string> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(subject.manager.url);
      const socket = dial(Number(port), hostname);
      let answer = '';
      socket.on('data', (part) => {
        answer += part.toString('latin1');
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', () => {});
      socket.write(bytes);
    });
  const head = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: ${subject.manager.headers.authorization}\r\n${more}\r\n`;
  const codeOf = (answer: string) => {
    const [start = '', body = ''] = answer.split('\r\n\r\n');
    return [start.slice(9, 12), JSON.parse(body).error.code];
  };
  const files = () => `/v1/workers/${subject.worker.id}/files/digits`;

  test.each<[string, () => string, string]>([
    ['headers of 20 KB', () => head(files(), `x: ${long(20_000)}\r\n`), '431'],
    ['headers of 1 MB', () => head(files(), `x: ${long(1_000_000)}\r\n`), '431'],
    [
      '3,000 headers',
      () => head(files(), Array.from({ length: 3000 }, (_, n) => `x-${n}: a\r\n`).join('')),
      '431',
    ],
    ['a query of 100 KB', () => head(`${files()}?stat&cursor=${long(100_000)}`), '431'],
    ['two lengths', () => head(files(), 'content-length: 5\r\ntransfer-encoding: chunked\r\n'), '400'],
    ['a header without a colon', () => head(files(), 'bad header\r\n'), '400'],
    ['another version of HTTP', () => 'GET / HTTP/9.9\r\n\r\n', '400'],
    ['no HTTP', () => 'GARBAGE\r\n\r\n', '400'],
    ['TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400'],
  ])('with %s gets an error with a code', async (_what, request, status) => {
    expect(codeOf(await raw(Buffer.from(request(), 'latin1')))).toEqual([status, 'invalid_command']);
  });

  test('that is followed by garbage is answered, and nothing after it', async () => {
    const answer = await raw(`${head('/livez')}GARBAGE\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('for a worker of another cell, or with its token, gets nothing', async () => {
    const other = createFilesApi(subject.manager, subject.foreign.id);
    for (const path of ['files/?list', 'processes', 'ptys', 'ports/80/'])
      expect([path, await other.call('GET', path)]).toMatchObject([path, refused(404, 'not_found')]);
    expect(await other.run('true')).toMatchObject({ error: { code: 'not_found' } });
    const stranger = createFilesApi(
      { ...subject.manager, headers: subject.neighbour.headers },
      subject.worker.id,
    );
    expect((await stranger.call('GET', 'files/?list')).status).toBe(401);
  });

  test('for a worker that has ended or was deleted says so', { timeout: LONG }, async () => {
    const client = connect({ url: subject.manager.url, token: subject.manager.token });
    const gone = await client.workers.create(SPEC, { wait: 'ready' });
    const { call } = createFilesApi(subject.manager, gone.id);
    const paths = ['files/?list', 'processes', 'ptys'];
    await gone.stop({ wait: 'ended' });
    for (const path of paths) expect(await call('GET', path)).toMatchObject(refused(409, 'conflict'));
    await gone.delete();
    await expect.poll(async () => (await call('GET', 'processes')).status, { timeout: 30_000 }).toBe(404);
    for (const path of paths) expect(await call('GET', path)).toMatchObject(refused(404, 'not_found'));
  });
});

testUnharmed(subject, 4);
