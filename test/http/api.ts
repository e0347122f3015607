/** The API without a manager: requests are injected, without a socket. */
import type { LightMyRequestResponse } from 'fastify';
import { onTestFinished } from 'vitest';
import { type ApiOptions, createApi } from '../../src/http/api.ts';
import { type ApiServices, createApiRoutes } from '../../src/http/routes/index.ts';

/** What a test does not provide is not asked for. */
function withStubs<T extends object>(given: Partial<T>): T {
  const never = () => Promise.reject(new Error('not asked for'));
  return new Proxy(given, { get: (target, name) => Reflect.get(target, name) ?? never }) as T;
}

export async function openTestApi(
  services: { [S in keyof ApiServices]?: Partial<ApiServices[S]> },
  options: Partial<ApiOptions> = {},
) {
  const all = new Proxy({} as ApiServices, {
    get: (_, name) => withStubs<object>(services[name as keyof ApiServices] ?? {}),
  });
  const app = await createApi({
    host: '127.0.0.1',
    version: 'test',
    plugins: createApiRoutes(all),
    log: { error() {}, info() {}, debug() {} },
    ...options,
  });
  onTestFinished(async () => {
    await app.close();
  });
  return {
    app,
    ask: (
      method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'PATCH',
      url: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ): Promise<LightMyRequestResponse> =>
      app.inject({
        method,
        url,
        headers: { host: '127.0.0.1', ...headers },
        ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  };
}
