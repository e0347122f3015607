import { encodeName } from '../check-values.ts';
import type { PoolTransport } from '../transport.ts';
import type { ImageInfo, NodeInfo, Page, UsageInfo, WebhookDeliveryInfo } from '../types.ts';
import { type HttpRequester, jsonBody } from './request.ts';

const poolPath = (name: string, rest = '') => `/v1/pools/${encodeName(name)}${rest}`;

export const createHttpPools = (requester: HttpRequester): PoolTransport => ({
  listPools: (options) => requester.get('/v1/pools', options),
  getPool: (name, options) => requester.get(poolPath(name), options),
  applyPool: (pool, options) =>
    requester.change('PUT', poolPath(pool.name), options, { body: jsonBody(pool) }),
  scalePool: (name, count, options) =>
    requester.change('POST', poolPath(name, '/scale'), options, { body: jsonBody({ count }) }),
  deletePool: (name, options) => requester.change('DELETE', poolPath(name), options),
  listNodes: async (options) => (await requester.get<Page<NodeInfo>>('/v1/nodes', options)).items,
  getStats: (options) => requester.get('/v1/stats', options),
  listUsage: async (options) => (await requester.get<Page<UsageInfo>>('/v1/usage', options)).items,
  listImages: async (options) => (await requester.get<Page<ImageInfo>>('/v1/images', options)).items,
  listWebhooks: async (limit, options) => {
    const query = limit === undefined ? '' : `?limit=${limit}`;
    return (await requester.get<Page<WebhookDeliveryInfo>>(`/v1/webhooks${query}`, options)).items;
  },
});
