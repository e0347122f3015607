import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { KEY, openProxy, post, startModelWith } from './proxy-world.ts';

describe('a request', () => {
  test('is forwarded with the real credential, its path and query, and without what the agent put there', async () => {
    const seen: IncomingMessage[] = [];
    const { url } = await startModelWith((asked, answer) => {
      seen.push(asked);
      answer.end('{}');
    });
    const modelProxy = await openProxy(`${url}/base/`);
    const headers = {
      'x-api-key': 'dummy',
      authorization: 'Bearer dummy',
      cookie: 'a=b',
      'proxy-authorization': 'Basic x',
      'anthropic-beta': 'one',
    };
    await (await post(`${modelProxy.url}/v1/messages?beta=true`, { headers })).text();
    expect(seen[0]?.url).toBe('/base/v1/messages?beta=true');
    expect(seen[0]?.headers).toMatchObject({
      'x-api-key': KEY,
      host: new URL(url).host,
      'anthropic-beta': 'one',
    });
    for (const name of ['authorization', 'cookie', 'proxy-authorization'])
      expect(seen[0]?.headers[name]).toBeUndefined();
  });

  test('is rejected without the token of the address', async () => {
    const { url } = await startModelWith((_asked, answer) => answer.end(KEY));
    const modelProxy = await openProxy(url);
    const { origin, port } = new URL(modelProxy.url);
    for (const path of [
      '/',
      '/v1/messages',
      `/${'x'.repeat(22)}/v1`,
      `${new URL(modelProxy.url).pathname}x/v1`,
    ])
      expect((await post(origin + path)).status).toBe(404);
    const socket = connect({ host: '127.0.0.2', port: Number(port) });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('streams in both directions as the bytes come', async () => {
    const { url } = await startModelWith((asked, answer) => asked.pipe(answer));
    const modelProxy = await openProxy(url);
    const clientRequest = request(`${modelProxy.url}/echo`, { method: 'POST' });
    const answered = once(clientRequest, 'response') as Promise<[IncomingMessage]>;
    clientRequest.write('one');
    const [answer] = await answered;
    expect(String((await once(answer, 'data'))[0])).toBe('one');
    clientRequest.write('two');
    expect(String((await once(answer, 'data'))[0])).toBe('two');
    expect(modelProxy.open()).toBe(1);
    clientRequest.end();
    await once(answer.resume(), 'end');
    await vi.waitFor(() => expect(modelProxy.open()).toBe(0), { timeout: 10_000 });
  });

  test('is not gathered: an agent that does not read holds up the model', async () => {
    let sent = 0;
    const part = Buffer.alloc(65_536);
    const { url } = await startModelWith((_asked, answer) => {
      const more = () => {
        while (sent < 512 * 1024 ** 2 && answer.write(part)) sent += part.length;
      };
      answer.on('drain', more);
      more();
    });
    const modelProxy = await openProxy(url, { stallMs: 2000 });
    const clientRequest = request(`${modelProxy.url}/flood`, { method: 'POST' }).end();
    const [answer] = (await once(clientRequest, 'response')) as [IncomingMessage];
    let before = -1;
    await vi.waitFor(
      () => {
        const still = sent === before;
        before = sent;
        expect(still).toBe(true);
      },
      { timeout: 15_000, interval: 2500 },
    );
    expect(sent).toBeLessThan(64 * 1024 ** 2);
    // Its slowness is not taken for the model's.
    expect(modelProxy.open()).toBe(1);
    answer.destroy();
    await vi.waitFor(() => expect(modelProxy.open()).toBe(0), { timeout: 10_000 });
  });

  test('that the agent aborts is aborted at the model too', async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await startModelWith((asked, answer) => {
      asked.resume();
      answer.writeHead(200).write('data');
      answer.once('close', closed.resolve);
    });
    const modelProxy = await openProxy(url);
    const clientRequest = request(`${modelProxy.url}/x`, { method: 'POST' }).end();
    await once(clientRequest, 'response');
    clientRequest.destroy();
    await closed.promise;
    await vi.waitFor(() => expect(modelProxy.open()).toBe(0), { timeout: 10_000 });
  });

  test.each([401, 403])('that is answered with %i is not to be tried again', async (status) => {
    const { url } = await startModelWith((_asked, answer) => answer.writeHead(status).end('no'));
    const answer = await post((await openProxy(url)).url);
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([status, 'false']);
  });

  test.each([429, 500, 529])('that is answered with %i is left to the agent', async (status) => {
    const { url } = await startModelWith((_asked, answer) =>
      answer.writeHead(status, { 'retry-after': '3' }).end('no'),
    );
    const answer = await post((await openProxy(url)).url);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, '3']);
    expect(answer.headers.has('x-should-retry')).toBe(false);
  });
});

describe('a model', () => {
  test('that does not respond is aborted with an error that the agent can read', async () => {
    const { url } = await startModelWith(() => undefined);
    const modelProxy = await openProxy(url, { stallMs: 150 });
    const since = modelProxy.lastByteAt();
    const answer = await post(modelProxy.url);
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect([modelProxy.open(), modelProxy.lastByteAt()]).toEqual([0, since]);
  });

  test('that goes silent in the middle has its connection cut', async () => {
    const { url } = await startModelWith((_asked, answer) => answer.writeHead(200).write('half'));
    const modelProxy = await openProxy(url, { stallMs: 2000 });
    const answer = await post(modelProxy.url);
    await expect(answer.text()).rejects.toThrow();
    expect(modelProxy.lastByteAt()).toBeGreaterThan(0);
  });

  test('that breaks off in the middle is not taken for one that has ended', async () => {
    const { url } = await startModelWith((_asked, answer) => {
      answer.writeHead(200).write('half', () => answer.destroy());
    });
    await expect((await post((await openProxy(url)).url)).text()).rejects.toThrow();
  });

  test('that cannot be reached is reported with address and reason, without the credential', async () => {
    const { url, server } = await startModelWith(() => undefined);
    server.close();
    await once(server, 'close');
    const answer = await post((await openProxy(url)).url);
    const said = await answer.text();
    expect(answer.status).toBe(502);
    expect(said).toContain(new URL(url).host);
    expect(said).toContain('ECONNREFUSED');
    expect(said).not.toContain(KEY);
  });

  test('behind a proxy is reached through it', async () => {
    const asked: string[] = [];
    const proxy = await startModelWith((seen, answer) => {
      asked.push(seen.url ?? '');
      answer.end('by proxy');
    });
    const modelProxy = await openProxy('http://model.invalid/v1', { env: { HTTP_PROXY: proxy.url } });
    expect(await (await post(`${modelProxy.url}/messages`)).text()).toBe('by proxy');
    expect(asked).toEqual(['http://model.invalid/v1/messages']);
  });

  test('whose credential cannot be a header is reported without it', async () => {
    const { url } = await startModelWith((_asked, answer) => answer.end());
    const credentials = [{ header: 'x-api-key', prefix: '', value: `${KEY}\n` }];
    const answer = await post((await openProxy(url, { credentials })).url);
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain(KEY);
  });

  test.each(['ftp://x', 'nothing', `http://user:${KEY}@x`])(
    'at no proper address is refused (%#)',
    async (upstream) => {
      const error = await openProxy(upstream).catch((thrown: Error) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).not.toContain(KEY);
    },
  );
});
