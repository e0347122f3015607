import { expect, test } from 'vitest';
import { toConnection } from '../../../src/runtimes/docker/client.ts';
import { toInfo } from '../../../src/runtimes/docker/info.ts';
import { initError, readTail } from '../../../src/runtimes/docker/tail.ts';
import { toUsage } from '../../../src/runtimes/docker/usage.ts';
import { commonVersion } from '../../../src/runtimes/docker/versions.ts';
import { RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { PODMAN_VERSION } from '../../support/podman.ts';

/** One frame of the engine's log. */
function frame(text: string, stream = 1): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

test.each([
  ['20.10', { ApiVersion: '1.41', MinAPIVersion: '1.12' }, '1.41'],
  ['25', { ApiVersion: '1.44', MinAPIVersion: '1.24' }, '1.44'],
  ['29', { ApiVersion: '1.52', MinAPIVersion: '1.44' }, '1.47'],
  ['one that does not report its oldest', { ApiVersion: '1.43' }, '1.43'],
])('Docker %s is called with a version of both', (_engine, found, expected) => {
  expect(commonVersion(found)).toBe(expected);
});

test.each([
  [
    { Version: '18.03', ApiVersion: '1.37', MinAPIVersion: '1.12' },
    /18\.03 supports API 1\.12 to 1\.37.*Update Docker/,
  ],
  [
    { Version: '99', ApiVersion: '2.3', MinAPIVersion: '2.0' },
    /supports API 2\.0 to 2\.3.*Update worker-manager/,
  ],
  [{}, /not a Docker engine/],
])('an engine without a common version is named: %o', (found, message) => {
  expect(() => commonVersion(found)).toThrow(RuntimeDown);
  expect(() => commonVersion(found)).toThrow(message);
});

test('an address of the engine', () => {
  expect(toConnection('unix:///x/docker.sock')).toMatchObject({
    socketPath: '/x/docker.sock',
    host: undefined,
  });
  expect(toConnection('/x/docker.sock')).toMatchObject({ socketPath: '/x/docker.sock' });
  expect(toConnection('tcp://10.0.0.1:2375')).toMatchObject({ host: '10.0.0.1', port: '2375' });
  for (const wrong of ['', 'docker', 'ftp://x:1', 'tcp://x', 'tcp://x:y']) {
    expect(() => toConnection(wrong)).toThrow(TypeError);
  }
});

test('a tail is both streams in order, the last lines, and safe to print', () => {
  const log = [frame('out\r\n'), frame('err\n', 2), frame('\u001b[31mred\u001b[0m\u0007\tend\u009b\n')];
  expect(readTail(Buffer.concat(log))).toBe('out\nerr\nred  end');
  const many = Array.from({ length: 30 }, (_, line) => frame(`${line}\n`));
  expect(readTail(Buffer.concat(many)).split('\n')).toEqual(
    Array.from({ length: 20 }, (_, line) => String(line + 10)),
  );
});

test('a tail is bounded in bytes and cut between characters', () => {
  const tail = readTail(frame(`${'é'.repeat(5000)}x`));
  expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
  expect(tail).toMatch(/^é+x$/);
});

test('a truncated or empty log is read as far as possible', () => {
  expect(readTail(Buffer.alloc(0))).toBe('');
  expect(readTail(frame('whole\n').subarray(0, 11))).toBe('who');
  expect(readTail(Buffer.concat([frame('a\n'), Buffer.from([1, 0])]))).toBe('a');
});

test('the engine’s init reports which program it could not run', () => {
  const tail = 'before\n[FATAL tini (7)] exec /no/such failed: No such file or directory';
  expect(initError(127, tail)).toBe('exec /no/such failed: No such file or directory');
  expect(initError(126, tail)).toContain('/no/such');
  expect(initError(1, tail)).toBeUndefined();
  expect(initError(undefined, tail)).toBeUndefined();
  expect(initError(127, 'sh: 1: x: not found')).toBeUndefined();
});

test.each([
  ['cgroup v1', { total_inactive_file: 100, inactive_file: 1 }, 900],
  ['cgroup v2', { inactive_file: 200 }, 800],
  ['an odd one', { inactive_file: 5000 }, 1000],
  ['a bare one', undefined, 1000],
])('usage under %s', (_what, stats, memory_bytes) => {
  const memory = stats ? { usage: 1000, stats } : { usage: 1000 };
  const answer = {
    cpu_stats: { cpu_usage: { total_usage: 2_500_000_000 } },
    memory_stats: memory,
    pids_stats: { current: 3 },
  };
  expect(toUsage(answer)).toEqual({ cpu_seconds: 2.5, memory_bytes, pids: 3 });
});

test('a body that does not run has no usage', () => {
  expect(toUsage({ cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {}, pids_stats: {} })).toEqual(
    {},
  );
  expect(toUsage({})).toEqual({});
});

test('Podman is rejected by name, although its API version would be supported', () => {
  expect(() => commonVersion(PODMAN_VERSION)).toThrow(RuntimeDown);
  expect(() => commonVersion(PODMAN_VERSION)).toThrow(/^Podman 5\.4\.2 is not supported: .*tmpfs/);
});

test('limits that the kernel lacks are reported with the reason', () => {
  const { limits, version } = toInfo(
    {
      ServerVersion: '20.10',
      MemoryLimit: true,
      CpuCfsQuota: false,
      CgroupVersion: '2',
    },
    { hostname: 'here', memory_bytes: 1 },
  );
  expect(version).toBe('docker 20.10');
  expect(limits.memory).toEqual({ supported: true, adjustable: true, how: 'cgroup v2, memory' });
  expect(limits.cpus).toMatchObject({ supported: false, how: expect.stringContaining('cpu') });
  expect(limits.pids.supported).toBe(false);
});

test('an engine that is newer than the tested ones is reported', () => {
  const adviceOf = (ServerVersion: string) =>
    toInfo({ ServerVersion }, { hostname: '', memory_bytes: 1 }).advice;
  expect(adviceOf('28.5.2+dfsg1')).toBeUndefined();
  expect(adviceOf('29.1.0')).toBe('This version is newer than the tested ones (Docker 20.10 to 28.5).');
});
