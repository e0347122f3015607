import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ResourceMeter } from '../../../worker-base/tasks/resource-usage.ts';

/** A file system as a container sees it, made of these files. */
function world(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'vitals-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const places = { cgroup: join(root, 'cgroup'), proc: join(root, 'proc') };
  const write = (changed: Record<string, string>) => {
    for (const [path, text] of Object.entries(changed)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  write(files);
  return { places, write };
}

const LIMITED = {
  'cgroup/memory.current': '300000000\n',
  'cgroup/memory.max': '800000000\n',
  'cgroup/memory.stat': 'anon 1\ninactive_file 100000000\nfile 3\n',
  'cgroup/cpu.max': '150000 100000\n',
  'cgroup/cpu.stat': 'usage_usec 1000000\nuser_usec 1\n',
};

test('of a container, memory is what cannot be dropped, as a share of its limit', () => {
  const { places } = world(LIMITED);
  const meter = new ResourceMeter(places);
  expect(meter).toMatchObject({ own: true, cores: 1.5, memoryBytes: 800_000_000 });
  expect(meter.read().memoryPercent).toBe(25);
});

test('of a container, CPU is a share of its quota between two looks, and never above all of it', async () => {
  const { places, write } = world(LIMITED);
  const meter = new ResourceMeter(places);
  const began = performance.now();
  await expect.poll(() => performance.now() - began).toBeGreaterThan(50);
  write({ 'cgroup/cpu.stat': 'usage_usec 9000000000\n' });
  expect(meter.read().cpuPercent).toBe(100);
});

test('without a limit, the machine is what it may use', () => {
  const { places } = world({ ...LIMITED, 'cgroup/memory.max': 'max\n', 'cgroup/cpu.max': 'max 100000\n' });
  expect(new ResourceMeter(places).memoryBytes).toBe(totalmem());
});

test('without a cgroup of its own, the figures are the machine’s', () => {
  const { places } = world({ 'proc/meminfo': 'MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n' });
  const meter = new ResourceMeter(places);
  expect(meter.own).toBe(false);
  expect(meter.read().memoryPercent).toBeGreaterThanOrEqual(0);
});

test('if nothing can be read, nothing is claimed', () => {
  const { places } = world({});
  expect(new ResourceMeter(places).read()).toEqual({ cpuPercent: 0, memoryPercent: 0 });
});
