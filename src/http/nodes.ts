/** Worker nodes over HTTP: for display, and as targets for Prometheus (its HTTP service discovery). */
import { Fault, type NodeView } from '../model/index.ts';
import { jsonResponse, type Route } from './route.ts';

/** `nodes`: all task workers of the cell with a node API, and the manually started nodes. */
export function createNodeRoutes({ nodes }: { nodes: () => Promise<NodeView[]> }): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/nodes',
      async handle({ query }) {
        const format = query.get('format') ?? 'json';
        if (format === 'prometheus_sd') return jsonResponse(200, (await nodes()).flatMap(toScrapeTargets));
        if (format === 'json') return jsonResponse(200, { items: await nodes(), next_cursor: null });
        const message = 'must be json or prometheus_sd';
        throw new Fault('invalid_command', `format ${message}, not ${format.slice(0, 40)}.`, {
          issues: [{ path: 'format', message }],
        });
      },
    },
  ];
}

/**
 * A target of https://prometheus.io/docs/prometheus/latest/http_sd/; its IDs are `__meta_` labels, which Prometheus
 * drops unless configured to keep them.
 */
function toScrapeTargets({ url, pool, worker_id, external, started_at }: NodeView): object[] {
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
