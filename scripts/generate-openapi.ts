/** Writes the OpenAPI document of the manager (`docs/schema/openapi.json`) from its routes. `--check` only compares. */
import { createApi } from '../src/http/api.ts';
import { type ApiServices, createApiRoutes } from '../src/http/routes/index.ts';
import { formatJson, read, writeOrCheck } from './generate/write.ts';

/** Only the schemas of the routes are used; their handlers never run. */
const unused: ApiServices = new Proxy({} as ApiServices, {
  get: () => new Proxy({}, { get: () => () => Promise.reject(new Error('not used')) }),
});
const { version } = JSON.parse(read('package.json')) as { version: string };
const app = await createApi({
  host: '127.0.0.1',
  version,
  plugins: createApiRoutes(unused),
  log: { error() {}, info() {}, debug() {} },
});
const PATH = 'docs/schema/openapi.json';
writeOrCheck({ [PATH]: formatJson(PATH, JSON.stringify(app.swagger(), null, 2)) });
await app.close();
