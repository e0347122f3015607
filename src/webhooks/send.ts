/** One attempt to deliver a message: a POST whose result is a plain value. */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { errorMessage } from '../model/index.ts';
import { createPublicLookup, explainPrivateHost } from './addresses.ts';

/** Sockets to one host, and bytes of a response that are read so that its connection can be used again. */
const SOCKETS = 8;
const RESPONSE_BYTES = 65_536;
/** Idle connections are closed after this time in milliseconds, before most servers close them. */
const IDLE_MS = 4000;
/** A receiver may ask for a pause of at most an hour. */
const LONGEST_PAUSE_SECONDS = 3600;

export interface PostResult {
  /** Status of the response; absent if there was none. */
  status?: number;
  /** Why it failed; absent if the message was delivered. */
  error?: string;
  /** The receiver is away or overloaded, so that other messages would fail, too. */
  away: boolean;
  /** The receiver wants no further messages. */
  gone: boolean;
  /** Milliseconds that the receiver asked to wait. */
  pauseMs: number;
}

export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  /** The URL is that of a worker, and must not lead to a private address. */
  publicOnly: boolean;
  signal: AbortSignal;
}

/** Sends messages with connections that are kept for a moment. */
export class Sender {
  readonly #agents = [true, false].map((publicOnly) => ({
    publicOnly,
    http: new HttpAgent({ keepAlive: true, maxSockets: SOCKETS, timeout: IDLE_MS }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS, timeout: IDLE_MS }),
  }));

  readonly #lookup: LookupFunction;

  /** `dnsServers` resolve the names in URLs of workers; by default, those of the system do. */
  constructor({ dnsServers }: { dnsServers?: readonly string[] } = {}) {
    this.#lookup = createPublicLookup(dnsServers);
  }

  /** Never throws. */
  async post(post: Post): Promise<PostResult> {
    const why = post.publicOnly ? explainPrivateHost(post.url) : undefined;
    if (why !== undefined) return { error: `The URL ${why}.`, away: false, gone: true, pauseMs: 0 };
    const timeout = AbortSignal.timeout(post.timeoutMs);
    try {
      const response = await this.#request(post, AbortSignal.any([timeout, post.signal]));
      return toPostResult(response);
    } catch (error) {
      const late = timeout.aborted && !post.signal.aborted;
      const what = late ? `no response in ${post.timeoutMs / 1000} s` : errorMessage(error);
      return { error: what, away: true, gone: false, pauseMs: 0 };
    }
  }

  close(): void {
    for (const { http, https } of this.#agents) {
      http.destroy();
      https.destroy();
    }
  }

  #request({ url, headers, body, publicOnly }: Post, signal: AbortSignal): Promise<IncomingMessage> {
    const secure = url.startsWith('https:');
    const agents = this.#agents.find((one) => one.publicOnly === publicOnly);
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      agent: secure ? agents?.https : agents?.http,
      signal,
      ...(publicOnly && { lookup: this.#lookup }),
    };
    return new Promise((resolve, reject) => {
      const sent = (secure ? requestHttps : requestHttp)(url, options, (response) => {
        drain(response);
        resolve(response);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

/** The content of a response is of no interest, and may be endless. */
function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > RESPONSE_BYTES) response.destroy();
  });
  response.on('error', () => {});
}

function toPostResult({ statusCode: status = 0, headers }: IncomingMessage): PostResult {
  if (status >= 200 && status < 300) return { status, away: false, gone: false, pauseMs: 0 };
  const away = status === 429 || status === 502 || status === 503 || status === 504;
  const seconds = Number(headers['retry-after']);
  const pause = away && seconds > 0 ? Math.min(seconds, LONGEST_PAUSE_SECONDS) : 0;
  const redirect = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return { status, error: `status ${status}${redirect}`, away, gone: status === 410, pauseMs: pause * 1000 };
}
