import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { type ConformanceFixture, PATIENCE } from './fixture.ts';

const MIB = 1024 ** 2;

/** Connections to the doors of bodies. */
export function connectSuite(fixture: ConformanceFixture): void {
  const { run, reach } = fixture;

  describe('connect', () => {
    test('carries bytes of all kinds both ways, and the end of each direction', async () => {
      const { id } = await run('echoes');
      // The end of a stream was lost now and then.
      for (let n = 0; n < 12; n += 1) {
        const stream = await fixture.runtime.connect(id);
        const sent = randomBytes(8 * MIB);
        const received = buffer(stream);
        stream.end(sent);
        const { length } = await received;
        expect(length).toBe(sent.length);
        expect((await received).equals(sent)).toBe(true);
      }
    });

    test('has back-pressure', async () => {
      const { id } = await run('echoes');
      const stream = await fixture.runtime.connect(id);
      const part = Buffer.alloc(MIB, 'x');
      let written = 0;
      // Nothing is read, so what it echoes fills all buffers, and it stops to read.
      const stopped = async () => {
        for (; written < 256 * MIB; written += part.length) {
          if (stream.write(part)) continue;
          const drained = once(stream, 'drain').then(() => true);
          const quiet = new Promise<false>((resolve) => setTimeout(resolve, 500, false));
          if (!(await Promise.race([drained, quiet]))) return true;
        }
        return false;
      };
      expect(await stopped()).toBe(true);
      const most = written + part.length;
      let read = 0;
      stream.on('data', (chunk: Buffer) => {
        read += chunk.length;
      });
      await vi.waitFor(() => expect(read).toBe(most), PATIENCE);
      stream.destroy();
    });

    test('serves many connections at once, of both managers', async () => {
      const { id } = await run('echoes');
      const exchange = async (manager: Runtime) => {
        const stream = await manager.connect(id);
        const sent = randomBytes(64 * 1024);
        const received = buffer(stream);
        stream.end(sent);
        return (await received).equals(sent);
      };
      const managers = Array.from({ length: 16 }, (_, at) =>
        at % 2 ? fixture.runtime : fixture.subject.second,
      );
      expect(await Promise.all(managers.map(exchange))).toEqual(managers.map(() => true));
    });

    test('ends when the body is killed in the middle, and leaves nothing open', async () => {
      const { id } = await run('echoes');
      const before = descriptors();
      const streams = await Promise.all([1, 2, 3].map(() => fixture.runtime.connect(id)));
      const ends = streams.map(ended);
      for (const stream of streams) stream.write('something');
      await fixture.runtime.kill(id);
      await Promise.all(ends);
      await reach('exited');
      for (const stream of streams) stream.destroy();
      await expect(fixture.runtime.connect(id)).rejects.toMatchObject({ code: 'conflict' });
      if (before !== undefined)
        await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before + 1), PATIENCE);
    });

    test('rejects a body whose door is not open, that has ended, or that is gone', async () => {
      const { id } = await run('runs');
      await expect(fixture.runtime.connect(id)).rejects.toMatchObject({ code: 'conflict' });
      await fixture.runtime.remove(id);
      await expect(fixture.runtime.connect(id)).rejects.toMatchObject({ code: 'not_found' });
    });

    test('keeps cells apart', async () => {
      const { id } = await run('echoes');
      await expect(fixture.subject.otherCell.connect(id)).rejects.toMatchObject({ code: 'not_found' });
    });
  });
}

/** Resolves when the stream has ended, in whatever way. */
const ended = (stream: Duplex) =>
  new Promise<void>((resolve) => {
    stream.on('error', () => resolve());
    stream.once('end', () => resolve());
    stream.once('close', () => resolve());
    stream.resume();
  });

/** Open descriptors of this process; undefined where they cannot be counted. */
function descriptors(): number | undefined {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined;
}
