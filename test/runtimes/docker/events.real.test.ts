import { expect, onTestFinished, test, vi } from 'vitest';
import { engine, FOREVER, newCell, newProxy, newRuntime, orderOf, SOON } from './subject.ts';

type Runtime = ReturnType<typeof newRuntime>['runtime'];

/** Watches, and returns the events after the stream is connected. */
async function watch(runtime: Runtime) {
  const hints: (string | undefined)[] = [];
  const watching = runtime.watch((workerId) => hints.push(workerId));
  onTestFinished(() => watching.close());
  await vi.waitFor(() => expect(hints).toContain(undefined), SOON);
  return { hints, watching, count: () => hints.filter((hint) => hint === undefined).length };
}

test('each change of a body is an event for its worker, and other cells emit none', async () => {
  const { runtime } = newRuntime();
  const { runtime: other } = newRuntime({ cell: newCell() });
  const { hints } = await watch(runtime);
  const order = orderOf(FOREVER);
  const foreign = await other.create(orderOf(FOREVER));
  const { id } = await runtime.create(order);
  const seen = (times: number) =>
    vi.waitFor(() => expect(hints.filter((hint) => hint === order.worker_id)).toHaveLength(times), SOON);
  await seen(1);
  await runtime.start(id);
  await seen(2);
  await engine().getContainer(id).pause();
  await seen(3);
  await runtime.kill(id);
  await vi.waitFor(() => expect(hints.length).toBeGreaterThanOrEqual(5), SOON);
  await runtime.remove(id);
  await other.remove(foreign.id);
  await vi.waitFor(() => expect(hints.length).toBeGreaterThanOrEqual(6), SOON);
  expect(new Set(hints)).toEqual(new Set([undefined, order.worker_id]));
});

test('a broken stream is reopened and causes a resync', async () => {
  const proxy = await newProxy();
  const { runtime } = newRuntime({ host: proxy.socket });
  const { hints, count } = await watch(runtime);
  const before = count();
  proxy.cutAll();
  await vi.waitFor(() => expect(count()).toBe(before + 1), SOON);
  const order = orderOf(FOREVER);
  await runtime.create(order);
  await vi.waitFor(() => expect(hints).toContain(order.worker_id), SOON);
  // A replay is never requested: the engine keeps 256 events in memory, and none across a restart.
  for (const { url } of proxy.seen) expect(url).not.toContain('since=');
});

test('an unavailable engine is retried until it is back', async () => {
  const proxy = await newProxy();
  const { runtime } = newRuntime({ host: proxy.socket });
  const { count } = await watch(runtime);
  proxy.misbehave = ({ url }) => (url.includes('/events') ? { status: 503, text: '{}' } : undefined);
  proxy.cutAll();
  const tries = () => proxy.seen.filter(({ url }) => url.includes('/events')).length;
  await vi.waitFor(() => expect(tries()).toBeGreaterThanOrEqual(3), SOON);
  expect(count()).toBe(1);
  proxy.misbehave = () => undefined;
  await vi.waitFor(() => expect(count()).toBe(2), SOON);
});

test('a silent stream is replaced, because it may be dead', async () => {
  const { runtime } = newRuntime({ silenceMs: 100 });
  const { count } = await watch(runtime);
  await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(3), SOON);
});

test('short deadlines of calls do not cut the stream', async () => {
  const proxy = await newProxy();
  const { runtime } = newRuntime({ host: proxy.socket, deadlines: { list: 50, events: 300, inspect: 5000 } });
  const { hints, count } = await watch(runtime);
  proxy.misbehave = ({ url }) => (url.includes('/containers/json') ? 'hang' : undefined);
  for (const _ of Array.from({ length: 10 })) await expect(runtime.list()).rejects.toThrow('did not answer');
  const order = orderOf(FOREVER);
  await runtime.create(order);
  await vi.waitFor(() => expect(hints).toContain(order.worker_id), SOON);
  expect(count()).toBe(1);
});

test('a closed watch reports nothing more', async () => {
  const { runtime } = newRuntime();
  const { hints, watching } = await watch(runtime);
  await watching.close();
  const before = hints.length;
  await runtime.create(orderOf(FOREVER));
  await runtime.list();
  expect(hints).toHaveLength(before);
});
