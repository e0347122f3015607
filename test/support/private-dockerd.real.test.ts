/**
 * The start of a private daemon over what a killed one left. The daemons of these tests have a bridge of their own and no
 * rules of a firewall: the run's own daemon has the default ones.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { has } from '../../scripts/ensure-docker.ts';
import { dockerdPlace, startDockerd } from '../../scripts/private-dockerd.ts';
import { dockerAt } from './docker.ts';
import { pidsWith, signal } from './processes.ts';

const FLAGS = ['--iptables=false', '--ip-masq=false', '--ip-forward=false'];

test('incomplete networks of a killed daemon are removed, others are kept', async (context) => {
  const dockerd = privateDockerd(context);
  await dockerd.start();
  await dockerd.docker.createVolume({ Name: 'kept' });
  const IPAM = { Driver: 'default', Config: [{ Subnet: '10.213.77.0/24' }] };
  const network = await dockerd.docker.createNetwork({ Name: 'half-made', IPAM });
  const bridge = `/sys/class/net/br-${network.id.slice(0, 12)}`;
  expect(existsSync(bridge)).toBe(true);
  await dockerd.kill();
  // As it is between the two writes of a network that is being made (https://github.com/moby/moby/issues/45057).
  dockerd.damage('network/files/local-kv.db', (file) =>
    Buffer.from(file.toString('latin1').replaceAll('"ipamV4Info"', '"ipamV4Lost"'), 'latin1'),
  );

  const said = await dockerd.start();
  expect((await dockerd.docker.listVolumes()).Volumes.map(({ Name }) => Name)).toEqual(['kept']);
  // Docker 24.0 reads it, and says nothing.
  if (Number.parseInt((await dockerd.docker.version()).Version, 10) >= 24) return expect(said).toEqual([]);
  expect(said).toEqual([expect.stringMatching(/panic: .*index out of range.*: removing its networks/)]);
  expect(existsSync(bridge)).toBe(false);
});

test('data that cannot be read at all is set aside', async (context) => {
  const dockerd = privateDockerd(context);
  await dockerd.start();
  await dockerd.docker.createVolume({ Name: 'lost' });
  await dockerd.kill();
  // The first two pages of such a file identify it; the others hold its content.
  dockerd.damage('volumes/metadata.db', (file) => file.fill(0xff, 8192));
  rmSync(join(dockerd.place.data, 'network'), { recursive: true });

  const said = await dockerd.start();
  expect(said.at(-1)).toContain('moving its data');
  expect((await dockerd.docker.listVolumes()).Volumes).toEqual([]);
  expect(existsSync(join(`${dockerd.place.data}.unreadable`, 'volumes', 'metadata.db'))).toBe(true);
});

test('a daemon that cannot start for another reason loses nothing and reports why', async (context) => {
  const dockerd = privateDockerd(context);
  await dockerd.start();
  await dockerd.docker.createVolume({ Name: 'kept' });
  await dockerd.kill();

  const outcome = await startDockerd(dockerd.place, {
    flags: ['--storage-driver=none'],
    log: expect.unreachable,
  });
  expect(outcome).toMatchObject({
    error: expect.stringMatching(/driver not supported \(whole log: .*dockerd\.log/),
  });
  await dockerd.start();
  expect((await dockerd.docker.listVolumes()).Volumes.map(({ Name }) => Name)).toEqual(['kept']);
});

/** A daemon of the test's own, killed with all that it has made at the test's end. */
function privateDockerd(context: TestContext) {
  if (process.getuid?.() !== 0 || !has('dockerd') || !has('ip')) {
    context.skip('A private Docker daemon of a test needs dockerd and ip on this machine, and root.');
  }
  const directory = mkdtempSync(join(tmpdir(), 'private-dockerd-'));
  const place = dockerdPlace(join(directory, 'data'), join(directory, 'run'));
  const kill = async () => {
    for (const pid of pidsWith(directory)) signal(pid, 'SIGKILL');
    while (pidsWith(directory).length > 0) await delay(20);
  };
  const bridge = `wm${Date.now().toString(36)}`;
  const ip = (...args: string[]) => spawnSync('ip', args, { stdio: 'inherit' });
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('address', 'add', '10.213.76.1/24', 'dev', bridge);
  onTestFinished(async () => {
    await kill();
    ip('link', 'delete', bridge);
    for (const data of [place.data, `${place.data}.unreadable`])
      spawnSync('umount', ['--lazy', '--recursive', data]);
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    place,
    kill,
    docker: dockerAt(`unix://${place.socket}`),
    /** Starts it; answers what that said on the way. */
    async start(): Promise<string[]> {
      const said: string[] = [];
      const outcome = await startDockerd(place, {
        flags: [...FLAGS, '--bridge', bridge],
        log: (line) => said.push(line),
      });
      if ('error' in outcome) throw new Error(outcome.error);
      return said;
    },
    damage(file: string, change: (content: Buffer) => Buffer): void {
      const path = join(place.data, file);
      writeFileSync(path, change(readFileSync(path)));
    },
  };
}
