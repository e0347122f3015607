import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSecrets } from '../../src/config/secrets-dir.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wm-operator-'));
  directory = join(root, 'secrets');
  await mkdir(join(directory, '..data'), { recursive: true });
  await writeFile(join(directory, 'KEY'), 'value\n');
  await writeFile(join(directory, 'two'), 'a\nb\n\n');
  await writeFile(join(directory, '..data', 'real'), 'mounted');
  await symlink('..data/real', join(directory, 'mounted'));
});
afterEach(() => rm(root, { recursive: true }));

test('secrets are read by name, without the line end that editors add', async () => {
  expect(await openSecrets(directory).read(['KEY', 'two', 'mounted'])).toEqual({
    KEY: 'value',
    two: 'a\nb\n',
    mounted: 'mounted',
  });
  expect(await openSecrets(directory).read([])).toEqual({});
  expect(await openSecrets(undefined).read([])).toEqual({});
});

test('secrets are read again each time, so that they can be changed', async () => {
  const secrets = openSecrets(directory);
  expect(await secrets.missing(['NEW', 'KEY'])).toEqual(['NEW']);
  await writeFile(join(directory, 'NEW'), 'x');
  expect(await secrets.missing(['NEW', 'KEY'])).toEqual([]);
});

test('secrets that cannot be read are named with their path and the reason, without content', async () => {
  await writeFile(join(root, 'outside'), 'PRECIOUS');
  await symlink('../outside', join(directory, 'link'));
  await mkdir(join(directory, 'folder'));
  await writeFile(join(directory, 'large'), 'PRECIOUS'.repeat(10_000));
  await writeFile(join(directory, 'binary'), Buffer.from([0x50, 0xff, 0xfe]));
  for (const [name, why] of [
    ['absent', 'missing'],
    ['link', 'leads out'],
    ['folder', 'not a file'],
    ['large', '65536 bytes'],
    ['binary', 'UTF-8'],
  ] as const) {
    const error: Error = await openSecrets(directory)
      .read(['KEY', name])
      .then(
        () => expect.unreachable(),
        (thrown) => thrown,
      );
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain(`The secret ${name} `);
    expect(error.message).toContain(why);
    expect(error.message).toContain(directory);
    expect(error.message).not.toMatch(/PRECIOUS|value/);
    expect(await openSecrets(directory).missing(['KEY', name])).toEqual([name]);
  }
  await expect(openSecrets(undefined).read(['KEY'])).rejects.toThrow(/SECRETS_DIR/);
});

test.each(['../outside', '', '.hidden', 'a/b', 'a\0b', '/etc/passwd'])(
  '%j is not a name of a secret',
  async (name) => {
    await expect(openSecrets(directory).read([name])).rejects.toMatchObject({ code: 'invalid_command' });
  },
);

test('secrets that are together too large for a delivery are refused', async () => {
  const names = Array.from({ length: 20 }, (_, at) => `S${at}`);
  for (const name of names) await writeFile(join(directory, name), 'x'.repeat(60_000));
  await expect(openSecrets(directory).read(names)).rejects.toThrow(/have together more than/);
});
