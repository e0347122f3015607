/** Worker nodes over HTTP: for display, and as targets for Prometheus (its HTTP service discovery). */
import { z } from 'zod';
import type { NodeView } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';
import { nodeView } from '../schemas/pools.ts';

const scrapeTarget = z
  .object({ targets: z.array(z.string()), labels: z.record(z.string(), z.string()) })
  .meta({ id: 'ScrapeTarget', description: 'A target of the HTTP service discovery of Prometheus.' });

/** `nodes`: all task workers of the cell with a node API, and the manually started nodes. */
export const createNodeRoutes =
  ({ nodes }: { nodes: () => Promise<NodeView[]> }): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/nodes',
      {
        schema: {
          tags: ['nodes'],
          operationId: 'listNodes',
          summary: 'List the consumers of tasks',
          querystring: z.strictObject({
            format: z
              .enum(['json', 'prometheus_sd'])
              .default('json')
              .describe('prometheus_sd: as targets for Prometheus'),
          }),
          response: {
            200: z.union([
              z.object({ items: z.array(nodeView), next_cursor: z.null() }),
              z.array(scrapeTarget),
            ]),
            ...errorResponses(),
          },
        },
      },
      async ({ query: { format } }, reply) =>
        reply.send(
          format === 'prometheus_sd'
            ? (await nodes()).flatMap(toScrapeTargets)
            : { items: await nodes(), next_cursor: null },
        ),
    );
  };

/**
 * A target of https://prometheus.io/docs/prometheus/latest/http_sd/; its IDs are `__meta_` labels, which Prometheus
 * drops unless configured to keep them.
 */
function toScrapeTargets({
  url,
  pool,
  worker_id,
  external,
  started_at,
}: NodeView): z.infer<typeof scrapeTarget>[] {
  if (url === null) return [];
  const { host, protocol } = new URL(url);
  const port = protocol === 'https:' ? 443 : 80;
  return [
    {
      targets: [/:\d+$/.test(host) ? host : `${host}:${port}`],
      labels: {
        __metrics_path__: '/metrics/prometheus',
        __scheme__: protocol.slice(0, -1),
        pool,
        __meta_worker_manager_worker_id: worker_id,
        __meta_worker_manager_external: String(external),
        __meta_worker_manager_started_at: started_at,
      },
    },
  ];
}
