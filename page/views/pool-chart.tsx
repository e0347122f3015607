/** The numbers of one pool over time, with uPlot, which is loaded when a pool is first shown. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { PoolSeries } from '../live/pool-history.ts';

const HEIGHT = 150;
/** Each line has its own dash, so that color is not the only difference. */
const LINES = [
  { key: 'desired', name: 'Desired', dash: [2, 3] },
  { key: 'ready', name: 'Ready', dash: [] },
  { key: 'busy', name: 'Busy', dash: [7, 3] },
  { key: 'queued', name: 'Queued', dash: [8, 3, 2, 3] },
] as const;

/** By the number of the series; the first one is the time. */
const MARKERS = ['none', 'dotted', 'solid', 'dashed', 'double'];

export default function PoolChart({ name, series }: { name: string; series: PoolSeries }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(getOptions(element), [[], [], [], [], []], element);
      plot.current.setData(toData(data.current));
    };
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    draw();
    observer.observe(element);
    scheme.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', draw);
      plot.current?.destroy();
    };
  }, []);
  const data = useRef(series);
  data.current = series;
  useEffect(() => plot.current?.setData(toData(series)), [series]);

  const last = LINES.map(({ key, name: line }) => `${line} ${series[key].at(-1) ?? 0}`).join(', ');
  return <div class="chart" ref={place} role="img" aria-label={`Pool ${name} over time. Now: ${last}`} />;
}

const toData = (series: PoolSeries): uPlot.AlignedData => [series.at, ...LINES.map(({ key }) => series[key])];

function getOptions(element: HTMLElement): uPlot.Options {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: color('--chart-text'),
    grid: { stroke: color('--chart-grid'), width: 1 },
    font: '11px system-ui',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false } },
    legend: { markers: { dash: (_, at) => MARKERS[at] ?? 'solid' } },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, Math.ceil(most * 1.1))] } },
    axes: [
      axis,
      { ...axis, size: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000] },
    ],
    series: [
      { value: (_, at) => (at ? new Date(at * 1000).toLocaleTimeString('en-GB') : '') },
      ...(LINES.map(({ key, name, dash }) => ({
        label: name,
        stroke: color(`--chart-${key}`),
        width: 1.5,
        dash: [...dash],
        points: { show: false },
        paths: uPlot.paths.stepped?.({ align: 1 }),
      })) as uPlot.Series[]),
    ],
  };
}
