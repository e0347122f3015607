/** Podman at the address of Docker is refused by its name, with the reason, wherever an operator looks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { wmOf } from '../cli/wm.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';
import { startPodman } from '../support/podman.ts';
import { PATIENCE } from './world.ts';

const REFUSED = /^Podman 5\.4\.2 is not supported: .*DOCKER_HOST/;

test('the log, /readyz and doctor refuse Podman by name', async () => {
  const home = await mkdtemp(join(tmpdir(), 'podman-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const podman = await startPodman(join(home, 'podman.sock'));
  onTestFinished(() => podman.stop());
  const [redisUrl, cell] = [inject('redisUrl'), newCell()];
  const env = { RUNTIME: 'docker', DOCKER_HOST: `unix://${join(home, 'podman.sock')}` };

  const manager = await startManager({ redisUrl, cell, env });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl, cell, home: manager.home });
  });
  await vi.waitFor(async () => {
    const answer = await fetch(`${manager.url}/readyz`);
    const { checks } = (await answer.json()) as { checks: { runtime_docker: { message: string } } };
    expect(checks.runtime_docker).toEqual({ ok: false, message: expect.stringMatching(REFUSED) });
    expect(answer.status).toBe(503);
  }, PATIENCE);
  expect(manager.log()).toMatch(/Podman 5\.4\.2 is not supported/);

  const { code, out } = await wmOf({ redisUrl, cell, home, env }).wm('doctor', '-o', 'json');
  const { checks } = JSON.parse(out) as { checks: { name: string; state: string; found: string }[] };
  expect(checks.find(({ name }) => name === 'Runtime docker')).toMatchObject({
    state: 'bad',
    found: expect.stringMatching(REFUSED),
  });
  expect(code).toBe(1);
});
