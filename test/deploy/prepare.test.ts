/** deploy/prepare.sh creates what compose.yaml needs, and changes nothing that exists. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../deploy/prepare.sh');
const linux = process.platform === 'linux';
if (!linux) console.info('skipped: prepare.sh needs the programs of GNU/Linux');

function folder(): {
  directory: string;
  prepare(env?: Record<string, string>): string;
  read(name: string): string;
} {
  const directory = mkdtempSync(join(tmpdir(), 'wm-prepare-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  copyFileSync(SCRIPT, join(directory, 'prepare.sh'));
  return {
    directory,
    read: (name) => readFileSync(join(directory, name), 'utf8'),
    prepare(env = {}) {
      const options = { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } } as const;
      const { status, stdout, stderr } = spawnSync('sh', [join(directory, 'prepare.sh')], options);
      expect([status, stderr]).toEqual([0, '']);
      return stdout;
    },
  };
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);

test.skipIf(!linux)('creates secrets that only the owner reaches, with matching passwords', () => {
  const { directory, prepare, read } = folder();
  prepare({ STORE_NET: '10.9.8' });
  expect(statSync(join(directory, 'secrets')).mode & 0o777).toBe(0o700);
  expect(read('.env')).toContain('\nSTORE_NET=10.9.8\n');
  expect(read('secrets/api_token')).toMatch(/^[0-9a-f]{64}$/);
  const [manager, worker] = [read('secrets/redis_url'), read('secrets/worker_redis_url')];
  expect(manager).toMatch(/^redis:\/\/manager:[0-9a-f]{64}@redis:6379$/);
  expect(worker).toMatch(/^redis:\/\/worker:[0-9a-f]{64}@10\.9\.8\.1:6379$/);
  const users = read('secrets/redis_users');
  expect(users).toContain(`user manager on #${sha256(passwordOf(manager))} `);
  expect(users).toContain(`user worker on #${sha256(passwordOf(worker))} `);
  // Redis applies transactions of the append-only file with the rights of this user.
  expect(users).toContain('user default off resetpass ~* &* +@all\n');
  expect(users).toContain(' ~worker:????????-????-????-????-????????????:* ');
});

test.skipIf(!linux)('changes nothing that exists, and creates what is missing', () => {
  const { directory, prepare, read } = folder();
  prepare({ CELL: 'blue' });
  const names = () => readdirSync(join(directory, 'secrets')).filter((name) => name !== 'workers');
  const content = () => names().map((name) => [name, read(`secrets/${name}`)]);
  const before = content();
  expect(prepare()).toBe('');
  expect(content()).toEqual(before);
  expect(read('secrets/redis_users')).toContain(' ~blue:worker:????????-');

  rmSync(join(directory, 'secrets', 'redis_url'));
  expect(prepare().match(/created/g)).toHaveLength(3);
  expect(content()).not.toEqual(before);
  expect(read('secrets/api_token')).toBe(Object.fromEntries(before).api_token);
});

test.skipIf(!linux)(
  'a replaced password of workers stays valid until the next replacement, and no longer',
  () => {
    const { directory, prepare, read } = folder();
    const replace = (...names: string[]) => {
      for (const name of names) rmSync(join(directory, 'secrets', name));
      prepare();
      const users = read('secrets/redis_users');
      const hashes = (user: string) =>
        new RegExp(`^user ${user} on((?: #\\w{64})+) `, 'm').exec(users)?.[1]?.trim();
      const hash = sha256(passwordOf(read('secrets/worker_redis_url')));
      return { hash, worker: hashes('worker'), manager: hashes('manager') };
    };
    prepare();
    const first = sha256(passwordOf(read('secrets/worker_redis_url')));
    const second = replace('redis_url', 'worker_redis_url');
    expect(second.worker).toBe(`#${second.hash} #${first}`);
    expect(second.manager).toBe(`#${sha256(passwordOf(read('secrets/redis_url')))}`);
    const third = replace('worker_redis_url');
    expect(third.worker).toBe(`#${third.hash} #${second.hash}`);
    const fourth = replace('redis_users', 'redis_url', 'worker_redis_url');
    expect(fourth.worker).toBe(`#${fourth.hash}`);
  },
);
