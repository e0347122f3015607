/** A server with the operations of S3 that checkpoints use, in memory: path style, without a check of signatures. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

interface Stored {
  content: Buffer;
  at: Date;
}

export interface S3Server {
  url: string;
  /** By bucket and key. */
  objects: Map<string, Stored>;
  /** Answers a request with this status instead, if it returns one. */
  fail: (method: string, key: string) => number | undefined;
  close(): void;
}

/** Objects of one page, as few as make sense for a test. */
const PAGE = 5;

export async function startS3Server(): Promise<S3Server> {
  const objects = new Map<string, Stored>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const key = decodeURIComponent(url.pathname.slice(1));
    const answer = (status: number, body: string | Buffer = '') => {
      response.writeHead(status, {
        'content-type': 'application/xml',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    };
    const failure = one.fail(request.method ?? '', key);
    if (failure !== undefined) {
      request.resume();
      answer(failure, '<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
      return;
    }
    const found = objects.get(key);
    if (request.method === 'PUT')
      void buffer(request).then(
        (content) => {
          if (content.length !== Number(request.headers['content-length'])) return answer(400);
          objects.set(key, { content, at: new Date() });
          answer(200);
        },
        () => {},
      );
    else if (request.method === 'DELETE') {
      objects.delete(key);
      answer(204);
    } else if (url.searchParams.has('list-type'))
      answer(200, list(objects, key.replace(/\/$/, ''), url.searchParams));
    else if (found) {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      if (from === undefined) answer(200, found.content);
      else answer(206, found.content.subarray(Number(from), Number(to) + 1));
    } else answer(404, '<Error><Code>NoSuchKey</Code><Message>none</Message></Error>');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const one: S3Server = {
    url: `s3+http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/a%20folder`,
    objects,
    fail: () => undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return one;
}

function list(objects: Map<string, Stored>, bucket: string, query: URLSearchParams): string {
  const [prefix, after] = [`${bucket}/${query.get('prefix') ?? ''}`, query.get('continuation-token') ?? ''];
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, PAGE);
  const contents = page.map((key) => {
    const { content, at } = objects.get(key) as Stored;
    return `<Contents><Key>${key.slice(bucket.length + 1)}</Key><LastModified>${at.toISOString()}</LastModified><Size>${content.length}</Size></Contents>`;
  });
  const more = keys.length > PAGE;
  const token = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`;
}
