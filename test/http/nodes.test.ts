import { expect, test } from 'vitest';
import { toWorkerStats } from '../../src/http/workers/worker-stats.ts';
import type { NodeView, PoolView } from '../../src/model/index.ts';
import { openTestApi } from './api.ts';

const NODE: NodeView = {
  worker_id: 'by-hand',
  pool: 'text',
  url: 'http://10.0.0.7:5001',
  external: true,
  state: 'idle',
  active_tasks: 0,
  slots: 2,
  cpu_percent: 3,
  memory_percent: 10,
  started_at: '2026-01-01T00:00:00.000Z',
};

async function get(query: string, nodes: NodeView[]) {
  const { ask } = await openTestApi({ nodes: { nodes: async () => nodes } });
  return (await ask('GET', `/v1/nodes?${query}`)).json();
}

// Nodes could be found neither by a person nor by Prometheus.
test('nodes are listed, and as targets for the HTTP service discovery of Prometheus', async () => {
  const nodes = [NODE, { ...NODE, worker_id: 'mute', url: null }, { ...NODE, url: 'http://[::1]' }];
  expect(await get('', nodes)).toEqual({ items: nodes, next_cursor: null });
  const labels = {
    __metrics_path__: '/metrics/prometheus',
    __scheme__: 'http',
    pool: 'text',
    __meta_worker_manager_worker_id: 'by-hand',
    __meta_worker_manager_external: 'true',
    __meta_worker_manager_started_at: NODE.started_at,
  };
  expect(await get('format=prometheus_sd', nodes)).toEqual([
    { targets: ['10.0.0.7:5001'], labels },
    { targets: ['[::1]:80'], labels },
  ]);
  expect(await get('format=xml', nodes)).toMatchObject({
    error: { code: 'invalid_command', issues: [{ path: 'format' }] },
  });
});

test('worker stats count nodes that were started by hand with the type of their pool', () => {
  const pool = { name: 'text', worker_type: 'writer', status: { idle: 1, busy: 2 } } as PoolView;
  const nodes: NodeView[] = [
    NODE,
    { ...NODE, state: 'busy' },
    { ...NODE, state: 'draining' },
    { ...NODE, pool: 'own', state: 'busy' },
  ];
  expect(toWorkerStats([pool], nodes)).toEqual({ writer: { idle: 2, busy: 3 }, own: { idle: 0, busy: 1 } });
});
