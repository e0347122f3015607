/** The trace of a worker in a container whose image has to be built. */
import { randomBytes, randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { dockerAt } from '../support/docker.ts';
import { startManagerShell, withDocker } from '../support/manager-shell.ts';
import { startOtlpReceiver } from './otlp-receiver.ts';

const SOON = { timeout: 30_000, interval: 100 };

test('from the command to ready is one trace, with the build of the image and the boot of the wrapper', {
  timeout: 300_000,
}, async () => {
  const docker = dockerAt(inject('dockerHost'));
  // Another name is another recipe, whose layers are the same.
  const [repo, tag] = ['worker-test-base', randomUUID().slice(0, 8)];
  const base = `${repo}:${tag}`;
  await docker.getImage(inject('baseImage')).tag({ repo, tag });
  onTestFinished(() => docker.getImage(base).remove());
  const receiver = await startOtlpReceiver();
  const { manager } = await startManagerShell({
    ...withDocker(),
    RUNTIME: 'docker',
    WORKER_BASE_IMAGE: base,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  });
  const [trace, span] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const client = connect({ url: manager.url, token: manager.token });
  onTestFinished(() => client.close());
  const worker = await client.workers.create(
    { agent_type: 'CUSTOM', command_line: ['cat'] },
    { wait: 'ready', timeoutSeconds: 240, traceparent: `00-${trace}-${span}-01` },
  );
  const { image } = await worker.dockerfile();
  onTestFinished(() => docker.getImage(image).remove({ force: true }));
  const path = ['command create', 'worker start', 'image build', 'create body', 'boot', 'wrapper boot'];
  await vi.waitFor(() => {
    const names = new Set(receiver.ofTrace(trace).map(({ name }) => name));
    expect(path.filter((name) => !names.has(name))).toEqual([]);
  }, SOON);
  const spans = receiver.ofTrace(trace);
  const find = (name: string) => spans.find((one) => one.name === name);
  const start = find('worker start');
  expect([find('command create')?.parent, start?.parent]).toEqual([span, find('command create')?.id]);
  for (const name of path.slice(2)) expect([name, find(name)?.parent]).toEqual([name, start?.id]);
  const [build, create, boot, wrapper] = path.slice(2).map(find);
  expect(build?.attributes['worker_manager.image']).toContain(image);
  expect([build?.end, create?.end]).toEqual([create?.start, boot?.start]);
  expect(wrapper?.start).toBeGreaterThanOrEqual(create?.start ?? 0);
  expect(start?.end).toBeGreaterThanOrEqual(boot?.end ?? Number.POSITIVE_INFINITY);
  // Its container uses the image.
  await worker.delete();
  const filters = { label: [`worker-manager.worker-id=${worker.id}`] };
  await expect.poll(() => docker.listContainers({ all: true, filters }), SOON).toEqual([]);
});
