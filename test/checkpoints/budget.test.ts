/** The budget, while checkpoints are read, written and deleted at once, and on disks that are full or read-only. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { keepBudget } from '../../src/checkpoints/limits.ts';
import { objects, root, save, store, toParts, useStore } from './chunk-fixture.ts';
import { newCheckpoint, newFolder, read, write } from './fixture.ts';

useStore();

const save100 = async (to: CheckpointDirectory = store) =>
  (await write(to, { content: randomBytes(100_000) })).checkpoint_id;
const ids = async () => (await store.list()).map(({ checkpoint_id }) => checkpoint_id);

test('of two checkpoints that two managers write at once, the newer stays if only one fits', async () => {
  const other = new CheckpointDirectory(root);
  for (let round = 0; round < 10; round += 1) {
    const [one, two] = [await save100(), await save100(other)];
    await Promise.all([keepBudget(store, 150_000, one), keepBudget(other, 150_000, two)]);
    expect(await ids()).toEqual([two]);
    // A budget that is too small for any deletes the rest, and the newest with the next sweep.
    await keepBudget(store, 1, two);
    expect(await ids()).toEqual([two]);
    expect(await keepBudget(store, 1)).toEqual([two]);
  }
  expect(objects()).toEqual([]);
});

test('two readers get everything, while a budget of one byte deletes all that is not read', async () => {
  const content = randomBytes(3_000_000);
  const { checkpoint_id: id } = await write(store, { content });
  const other = new CheckpointDirectory(root);
  const readers = [await store.open(id), await other.open(id)];
  const more = [await save100(), await save100()];
  expect((await keepBudget(other, 1)).sort()).toEqual(more.sort());
  readers[0]?.stream.destroy();
  await expect
    .poll(() => readdirSync(join(root, id)).filter((name) => name.startsWith('reading-')))
    .toHaveLength(1);
  expect(await keepBudget(other, 1)).toEqual([]);
  const parts: Buffer[] = [];
  for await (const part of readers[1]?.stream ?? []) parts.push(part as Buffer);
  expect(Buffer.concat(parts)).toEqual(content);
  await expect.poll(() => store.isRead(id)).toBe(false);
  expect(await keepBudget(other, 1)).toEqual([id]);
});

test('a manager that is killed while it deletes leaves nothing half', { timeout: 60_000 }, async () => {
  const source = JSON.stringify(join(import.meta.dirname, '../../src/checkpoints'));
  const script = `
    const { CheckpointDirectory } = await import(${source} + '/directory.ts');
    const { keepBudget } = await import(${source} + '/limits.ts');
    console.log('deleting');
    await keepBudget(new CheckpointDirectory(${JSON.stringify(root)}), 1);
  `;
  for (let round = 0; round < 5; round += 1) {
    let base = await save([randomBytes(1000), randomBytes(1000)]);
    for (let n = 0; n < 30; n += 1) base = await save([randomBytes(1000), randomBytes(1000)], base, []);
    const before = (await ids()).length;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect.poll(async () => (await ids()).length, { interval: 1 }).toBeLessThan(before);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // What is still listed can be read.
    for (const id of await ids()) expect(await read(store, id)).toHaveLength(2000);
    await keepBudget(store, 1);
    await new CheckpointDirectory(root, () => Date.now() + 3_600_000).clean();
    expect([await ids(), objects(), readdirSync(join(root, 'tmp'))]).toEqual([[], [], []]);
  }
});

test('a disk that is full or read-only can be read, and used again later', async (context) => {
  const folder = join(newFolder(), 'disk');
  mkdirSync(folder);
  const mount = (...words: string[]) => execFileSync('mount', [...words, folder], { stdio: 'ignore' });
  try {
    mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs');
  } catch {
    return context.skip('A disk cannot be mounted.');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  const disk = new CheckpointDirectory(folder);
  const chunks = Array.from({ length: 5 }, () => randomBytes(100_000));
  const whole = Buffer.concat(chunks);
  const { checkpoint_id: base } = await write(disk, { content: toParts(chunks) });
  const full = write(disk, { content: toParts([...chunks, randomBytes(900_000)], chunks), bases: [base] });
  await expect(full).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  expect(await read(disk, base)).toEqual(whole);
  mount('-o', 'remount,ro');
  await expect(write(disk, { content: toParts(chunks, chunks), bases: [base] })).rejects.toMatchObject({
    code: 'EROFS',
  });
  expect(await read(disk, base)).toEqual(whole);
  expect((await disk.list()).map(({ checkpoint_id }) => checkpoint_id)).toEqual([base]);
  mount('-o', 'remount,rw');
  const next = await write(disk, { content: toParts([...chunks, randomBytes(1000)], chunks), bases: [base] });
  expect((await read(disk, next.checkpoint_id))?.subarray(0, whole.length)).toEqual(whole);
  expect(existsSync(join(folder, newCheckpoint().checkpoint_id))).toBe(false);
});
