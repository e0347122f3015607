/** `npm run storm -- --kills 1000 --seed 7` runs more, and repeats one. */
import { inject, onTestFinished, test } from 'vitest';
import { dockerAt } from '../support/docker.ts';
import { startDockerProxy } from '../support/docker-proxy.ts';
import { signal } from '../support/processes.ts';
import { KILLS, passStorm, STORM_MS } from './kill-storm-suite.ts';
import { openWorld } from './world.ts';

test('no file of an ended turn is lost, whatever of a container is killed', {
  timeout: STORM_MS,
}, async () => {
  const host = inject('dockerHost');
  const proxy = await startDockerProxy(host);
  onTestFinished(() => proxy.close());
  const world = await openWorld('docker');
  const containerOf = async (id: string) => (await world.runtime.find(id, undefined))[0]?.id;
  await passStorm({
    world,
    redisUrl: inject('redisUrl'),
    env: { DOCKER_HOST: `unix://${proxy.socket}` },
    spec: { resources: { memory: '96m' } },
    kills: Math.floor(KILLS * 0.2),
    pauseMs: 400,
    eat: 0.03,
    faults: {
      body: async ({ id }) => {
        const container = await containerOf(id);
        if (container) await world.runtime.kill(container).catch(() => {});
        return container !== undefined;
      },
      // The wrapper, the agent, or the container's first process.
      process: async ({ id }, one) => {
        const container = await containerOf(id);
        const top =
          container &&
          (await dockerAt(host)
            .getContainer(container)
            .top()
            .catch(() => undefined));
        const at = top ? top.Titles.indexOf('PID') : -1;
        const pid = top && one(top.Processes as string[][])?.[at];
        if (pid) signal(Number(pid), 'SIGKILL');
        return pid !== undefined;
      },
      // Removed behind the back of the manager, as `docker rm -f` does.
      container: async ({ id }) => {
        const container = await containerOf(id);
        if (container) await world.runtime.remove(container).catch(() => {});
        return container !== undefined;
      },
      'connections to the engine': async (_, one) => {
        const rarely = one([true, false, false]) ?? false;
        if (rarely) proxy.cutAll();
        return rarely;
      },
    },
  });
});
