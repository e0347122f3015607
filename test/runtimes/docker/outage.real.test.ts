import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { ActFailed, BodyConflict, BodyRefused, RuntimeDown } from '../../../src/runtimes/runtime.ts';
import type { SeenRequest } from '../../support/docker-proxy.ts';
import { FOREVER, newProxy, newRuntime, orderOf, SOON } from './subject.ts';

const isCreate = ({ method, url }: SeenRequest) => method === 'POST' && url.includes('/containers/create');
const isList = ({ url }: SeenRequest) => url.includes('/containers/json');

test('a call to a hanging engine times out without affecting other calls', async () => {
  const proxy = await newProxy();
  proxy.misbehave = (request) => (isList(request) ? 'hang' : undefined);
  const calls: string[] = [];
  const { runtime } = newRuntime({
    host: proxy.socket,
    deadlines: { list: 200 },
    observe: (call, result) => calls.push(`${call} ${result}`),
  });
  await expect(runtime.list()).rejects.toThrow(/did not answer list within 200 ms/);
  await expect(runtime.list()).rejects.toThrow(RuntimeDown);
  expect((await runtime.probe()).version).toMatch(/^docker \d/);
  expect(calls).toEqual(['version ok', 'list timeout', 'list timeout', 'info ok']);
});

test('a create whose answer is lost may have happened: the next find returns the body', async () => {
  const proxy = await newProxy();
  proxy.misbehave = (request) => (isCreate(request) ? 'lose-reply' : undefined);
  // Longer than a busy engine needs: if the call times out before the engine has read it, the request is
  // lost.
  const { runtime, cell } = newRuntime({ host: proxy.socket, deadlines: { create: 5000 } });
  const order = orderOf(FOREVER);
  await expect(runtime.create(order)).rejects.toThrow(RuntimeDown);
  const { runtime: next } = newRuntime({ cell });
  await vi.waitFor(async () => expect(await next.find(order.worker_id, undefined)).toHaveLength(1), SOON);
  const conflict = await next.create(order).catch((error) => error);
  expect(conflict).toBeInstanceOf(BodyConflict);
  expect(conflict.ours).toBe(true);
});

test.each([
  ['cut in the middle', 'cut' as const],
  ['half of a list', { status: 200, text: '[{"Id":"abc",' }],
  ['nothing', { status: 200, text: '' }],
  ['an object', { status: 200, text: '{}' }],
  ['an error', { status: 500, text: '{"message":"database is locked"}' }],
])('an answer that is %s is unknown, never empty', async (_what, fault) => {
  const proxy = await newProxy();
  proxy.misbehave = (request) => (isList(request) ? fault : undefined);
  const { runtime } = newRuntime({ host: proxy.socket, deadlines: { list: 500 } });
  await expect(runtime.list()).rejects.toThrow(RuntimeDown);
});

test('a truncated or malformed inspect is unknown, never "no such body"', async () => {
  const proxy = await newProxy();
  const { runtime } = newRuntime({ host: proxy.socket, deadlines: { inspect: 500 } });
  const { worker_id } = orderOf(FOREVER);
  for (const fault of ['cut', 'hang', { status: 200, text: 'null' }, { status: 503, text: '' }] as const) {
    proxy.misbehave = ({ url }) => (url.includes('/json') ? fault : undefined);
    await expect(runtime.find(worker_id, undefined)).rejects.toThrow(RuntimeDown);
  }
});

test('a full disk fails a create temporarily, without blaming the order or the engine', async () => {
  const proxy = await newProxy();
  const text = '{"message":"write /x: no space left on device"}';
  proxy.misbehave = (request) => (isCreate(request) ? { status: 500, text } : undefined);
  const { runtime } = newRuntime({ host: proxy.socket });
  const error = await runtime.create(orderOf(FOREVER)).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ActFailed);
  expect(error).not.toBeInstanceOf(BodyRefused);
  expect(error.message).toContain('no space left');
});

test('an absent engine is named with its address and the likely cause', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wm-absent-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const socket = join(directory, 'docker.sock');
  const { runtime } = newRuntime({ host: `unix://${socket}` });
  await expect(runtime.list()).rejects.toThrow(`Docker at unix://${socket} can't be reached: no such socket`);
  await expect(runtime.probe()).rejects.toThrow(RuntimeDown);

  // Not a port that was free a moment ago: another test may use it by now.
  const { runtime: remote } = newRuntime({ host: 'tcp://127.0.0.1:1' });
  await expect(remote.list()).rejects.toThrow('nothing listens there');
});

test('a socket in the options overrides DOCKER_HOST in the environment', async () => {
  vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { runtime } = newRuntime({ host: inject('dockerHost') });
  expect(await runtime.list()).toEqual([]);
});

test('an engine that comes back is used again, and its version is read again', async () => {
  const proxy = await newProxy();
  const { runtime } = newRuntime({ host: proxy.socket });
  proxy.misbehave = () => ({ status: 503, text: '{"message":"starting"}' });
  await expect(runtime.list()).rejects.toThrow(RuntimeDown);
  proxy.misbehave = () => undefined;
  expect(await runtime.list()).toEqual([]);

  const text = '{"message":"client version 1.41 is too new. Maximum supported API version is 1.40"}';
  proxy.misbehave = (request) => (isList(request) ? { status: 400, text } : undefined);
  await expect(runtime.list()).rejects.toThrow(RuntimeDown);
  proxy.misbehave = ({ url }) =>
    url === '/version' ? { status: 200, text: '{"ApiVersion":"1.40","MinAPIVersion":"1.12"}' } : undefined;
  expect(await runtime.list()).toEqual([]);
  expect(proxy.seen.at(-1)?.url).toMatch(/^\/v1\.40\//);
});
