import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, statSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DELIVERY_LIMIT, placeSecrets, receiveSecrets } from '../../../worker-base/boot/secrets.ts';

let directory: string;
let pipe: string;
let control: AbortController;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wm-secrets-'));
  pipe = join(directory, 'secrets.pipe');
  control = new AbortController();
});
afterEach(async () => {
  control.abort();
  await rm(directory, { recursive: true });
});

const receive = () => receiveSecrets({ pipe, signal: control.signal });
/** As the manager does it: another process, which the pipe holds up. */
async function write(text: string): Promise<number | null> {
  await vi.waitFor(() => expect(statSync(pipe).isFIFO()).toBe(true), { timeout: 5000 });
  const cat = spawn('/bin/sh', ['-c', 'exec cat >"$0"', pipe], {
    stdio: ['pipe', 'ignore', 'ignore'],
    timeout: 5000,
  });
  cat.stdin.on('error', () => {});
  cat.stdin.end(text);
  const [code] = await once(cat, 'exit');
  return code as number | null;
}

describe('secrets', () => {
  test('come through a pipe that only the owner may use, and that is gone afterwards', async () => {
    const received = receive();
    await vi.waitFor(() => expect(statSync(pipe).mode & 0o777).toBe(0o600), { timeout: 10_000 });
    const big = 'ä€\n'.repeat(50_000);
    expect(await write(JSON.stringify({ A: big, 'b.c': '' }))).toBe(0);
    expect(await received).toEqual(
      new Map([
        ['A', big],
        ['b.c', ''],
      ]),
    );
    expect(existsSync(pipe)).toBe(false);
  });

  test.each(['', '{"A": "cut sho', '[]', 'null', '{"A": 1}', 'x'.repeat(DELIVERY_LIMIT + 1)])(
    'are awaited again after invalid ones (%#)',
    async (wrong) => {
      const received = receive();
      expect(await write(wrong)).toBe(0);
      await write(wrong);
      // What comes while the pipe is opened again is lost with the invalid part: the manager repeats it until it arrives.
      let came = false;
      void received.then(() => {
        came = true;
      });
      await vi.waitFor(
        async () => {
          if (!came) await write('{"A":"b"}');
          expect(came).toBe(true);
        },
        { timeout: 15_000 },
      );
      expect(await received).toEqual(new Map([['A', 'b']]));
    },
  );

  // A writer that came between the making of the pipe and its reader was read and never known to have ended.
  test('arrive from the fastest possible writer', async () => {
    const received = receive();
    // Nothing else of this process runs meanwhile, as where it is paused just after the pipe was made.
    const end = performance.now() + 300;
    while (!existsSync(pipe) && performance.now() < end);
    if (!existsSync(pipe)) await vi.waitFor(() => expect(existsSync(pipe)).toBe(true), { timeout: 10_000 });
    const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(writer, '{"A":"b"}');
    closeSync(writer);
    expect(await received).toEqual(new Map([['A', 'b']]));
  });

  test('may have any name', async () => {
    const received = receive();
    await write('{"__proto__":"a","constructor":"b"}');
    expect([...((await received) ?? [])]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  test('are not awaited any more once the body has to end', async () => {
    const received = receive();
    await vi.waitFor(() => expect(existsSync(pipe)).toBe(true), { timeout: 10_000 });
    control.abort();
    expect(await received).toBeUndefined();
    expect(existsSync(pipe)).toBe(false);
    expect(await receive()).toBeUndefined();
  });

  test('do not go into what an earlier one left at the place', async () => {
    const other = join(directory, 'other');
    await writeFile(other, 'precious');
    await promisify(execFile)('ln', ['-s', other, pipe]);
    const received = receive();
    await write('{"A":"b"}');
    expect(await received).toEqual(new Map([['A', 'b']]));
    expect(await readFile(other, 'utf8')).toBe('precious');
  });
});

describe('the files of secrets', () => {
  test('contain each value unchanged, only for the owner, even at a second delivery', async () => {
    const place = join(directory, 'secrets');
    for (const value of ['first', 'ä\n'])
      await placeSecrets(
        new Map([
          ['A', value],
          ['b.c', 'x'],
        ]),
        place,
      );
    expect(await readdir(place)).toEqual(['A', 'b.c']);
    expect(await readFile(join(place, 'A'), 'utf8')).toBe('ä\n');
    expect([statSync(place).mode & 0o777, statSync(join(place, 'A')).mode & 0o777]).toEqual([0o700, 0o400]);
  });

  test('can be read by the group of the agent, and not changed by it', async () => {
    const place = join(directory, 'secrets');
    const group = process.getgid?.() ?? 0;
    await placeSecrets(new Map([['A', 'x']]), place, group);
    const file = statSync(join(place, 'A'));
    expect([statSync(place).mode & 0o777, file.mode & 0o777, file.gid]).toEqual([0o750, 0o440, group]);
  });
});
