/** The pools: how many workers each wants and has, over time, and the form that scales it. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PoolInfo } from '../../src/client/types.ts';
import type { PoolSeries } from '../live/pool-history.ts';
import { api } from '../live/session.ts';
import { useStore } from '../live/store.ts';
import { perform, useCell } from '../model.ts';
import { Empty, Facts, Foreign, Problem } from '../parts/basics.tsx';
import { toHref } from '../router.ts';

type Chart = ComponentType<{ name: string; series: PoolSeries }>;

export function PoolsView() {
  const { pools: history } = useCell();
  const { pools, series, loaded } = useStore(history.now);
  const error = useStore(history.error);
  const [Chart, setChart] = useState<Chart>();
  const any = pools.length > 0;
  useEffect(() => {
    if (any) void import('./pool-chart.tsx').then((module) => setChart(() => module.default));
  }, [any]);
  return (
    <section class="view" aria-labelledby="view-title">
      <div class="view-head">
        <h1 id="view-title">Pools</h1>
        <span class="dim">Charts begin when this page is opened.</span>
      </div>
      <Problem text={error} />
      {pools.length === 0 && (
        <Empty>{loaded ? 'There are no pools. Declare one with: wm apply -f FILE' : 'Loading …'}</Empty>
      )}
      <div class="cards">
        {pools.map((pool) => (
          <PoolCard key={pool.name} pool={pool} series={series.get(pool.name)} Chart={Chart} />
        ))}
      </div>
    </section>
  );
}

function PoolCard({
  pool,
  series,
  Chart,
}: {
  pool: PoolInfo;
  series: PoolSeries | undefined;
  Chart: Chart | undefined;
}) {
  const { name, worker_type, status, deleting } = pool;
  const bad = status?.phase === 'degraded' || status?.phase === 'stopped';
  return (
    <article class="card" aria-labelledby={`pool-${name}`}>
      <div class="view-head">
        <h2 id={`pool-${name}`}>
          <Foreign text={name} />
        </h2>
        <span class={`verdict ${bad ? 'bad' : 'good'}`}>
          {deleting ? 'deleting' : (status?.phase ?? 'new')}
        </span>
        <span class="dim">{worker_type}</span>
        <span class="grow" />
        <ScaleForm pool={pool} />
      </div>
      {status && (status.reason || status.message) && (
        <p class={`why ${bad ? 'bad' : ''}`}>
          {status.reason && <strong>{status.reason}</strong>} <Foreign text={status.message} />
        </p>
      )}
      {status && (
        <Facts
          facts={[
            ['Desired', status.desired],
            ['Ready', status.ready],
            ['Busy', status.busy],
            ['Idle', status.idle],
            ['Starting', status.starting],
            ['Failing', status.failing],
            ['Draining', status.draining],
            ['Updated', status.updated],
            ['Warm', status.warm],
            ['Queued', status.queued ?? 'unknown'],
            ['Workers', <a href={toHref('workers', undefined, { filter: `pool:${name}` })}>show</a>],
          ]}
        />
      )}
      {series && Chart && <Chart name={name} series={series} />}
    </article>
  );
}

function ScaleForm({ pool: { name, spec, status, deleting } }: { pool: PoolInfo }) {
  const { pools: history } = useCell();
  const [text, setText] = useState<string>();
  const current = status?.desired ?? (spec as { count?: number }).count ?? 0;
  const count = Number(text ?? current);
  const scale = async () => {
    const done = await perform(`Scaled ${name} to ${count}.`, () => api.scalePool(name, count, {}));
    if (done) setText(undefined);
    await history.refresh().catch(() => {});
  };
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        void scale();
      }}
    >
      <label>
        <span class="hidden">Workers of {name}</span>
        <input
          type="number"
          min={0}
          step={1}
          value={text ?? current}
          disabled={deleting}
          onInput={({ currentTarget: { value } }) => setText(value)}
        />
      </label>
      <button type="submit" disabled={deleting || !Number.isInteger(count) || count < 0 || count === current}>
        Scale
      </button>
    </form>
  );
}
