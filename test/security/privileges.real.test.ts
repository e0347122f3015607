/** A locked image allows few programs: the wrapper still receives secrets and ends every agent. */
import { randomUUID } from 'node:crypto';
import { build } from 'esbuild';
import { expect, inject, test, vi } from 'vitest';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { dockerAt } from '../support/docker.ts';
import { imageOf, specOf } from './subject.ts';

test('an agent is ended with everything it started, and its start and end are reported', async () => {
  const spec = specOf({ allowed_commands: [], secrets: ['A'], resources: { pids: 200 } });
  const image = await imageOf(spec);
  const cell = `hands-${randomUUID().slice(0, 8)}`;
  const runtime = createDockerRuntime({ cell, host: inject('dockerHost'), image });
  const entryPoints = [new URL('./privileges-driver.ts', import.meta.url).pathname];
  const made = await build({ entryPoints, bundle: true, format: 'esm', platform: 'node', write: false });
  const wrapper = ['/worker/confine', '--user', '10001:10001,20000', '--keep', 'setuid,setgid,kill', '--'];
  const argv = [...wrapper, 'node', '--input-type=module', '-e', made.outputFiles[0]?.text ?? ''];
  const env = { SPEC: JSON.stringify(spec) };
  const order = { worker_id: randomUUID(), incarnation: 1, spec, spec_hash: 'a'.repeat(64), epoch: 1 };
  try {
    const { id } = await runtime.create({ ...order, image, env, argv });
    await runtime.start(id);
    await vi.waitFor(() => runtime.deliver(id, '{"A":"b"}'), { timeout: 20_000, interval: 50 });
    const container = dockerAt(inject('dockerHost')).getContainer(id);
    const said = await vi.waitFor(
      async () => {
        const logs = (await container.logs({ stdout: true, stderr: true, follow: false })).toString('utf8');
        const line = /\{"names".*\}/.exec(logs)?.[0];
        if (line === undefined) throw new Error(logs);
        return JSON.parse(line);
      },
      { timeout: 90_000, interval: 50 },
    );
    expect(said).toMatchObject({ names: ['A'], after: 0 });
    expect(said.before).toBeGreaterThan(2);
    // A worker with a missing program was briefly ready; one that a real-time signal had ended was Completed.
    expect(said.ends).toEqual([
      { failed: 'ENOENT', message: expect.stringContaining('no-such-program') },
      { failed: 'EACCES', message: expect.stringContaining('/etc/passwd') },
      { code: 3, signal: null, own: true },
      { code: 162, signal: 'SIGRTMIN', own: true },
      { code: 192, signal: 'SIGRTMIN+30', own: true },
      { code: 143, signal: 'SIGTERM', own: true },
      { code: 137, signal: 'SIGKILL', own: true },
    ]);
    // If a program printed immediately, the output had its line before the entry `ready`.
    expect(said).toMatchObject({ early: 0, heard: 100 });
  } finally {
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await runtime.dismantle();
    await runtime.close();
  }
}, 240_000);
