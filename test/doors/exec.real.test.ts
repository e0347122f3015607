/** Commands through a real manager: a gibibyte both ways, and what ends in the middle. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { EXEC_FRAMES, readFrames } from '../../src/model/doors/exec-frames.ts';
import { openFiles } from './files-api.ts';

const MIB = 1024 ** 2;
const SIZE_MIB = 1024;
const LONG = { timeout: 240_000 };
const PATIENCE = { timeout: 30_000, interval: 20 };

/** The most memory that a process ever had, in MiB. */
const peakOf = (pid: number) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe.each(['process', 'docker'] as const)('commands of a worker on %s', (name) => {
  const open = async (more?: object) => {
    const world = await openFiles(name, more);
    const post = (path: string, body: object | Readable, accept = 'application/json') =>
      world.call.raw('POST', path, {
        headers: { 'content-type': 'application/json', accept },
        body: body instanceof Readable ? body : Buffer.from(JSON.stringify(body)),
      });
    return { ...world, post };
  };

  test(`${SIZE_MIB} MiB go through a command and come back as they are`, LONG, async () => {
    const { post, manager } = await open();
    const before = peakOf(manager.pid);
    const response = await post('exec', { command: ['cat'], open_stdin: true }, EXEC_FRAMES);
    const block = randomBytes(MIB);
    const sent = createHash('sha256');
    const input = Readable.from(
      (function* () {
        for (let at = 0; at < SIZE_MIB; at += 1) {
          const copy = Buffer.from(block);
          // No two blocks are equal.
          copy.writeUInt32BE(at);
          sent.update(copy);
          yield copy;
        }
      })(),
    );
    const received = createHash('sha256');
    let bytes = 0;
    let writing: Promise<string> | undefined;
    let exit: object = {};
    for await (const frame of readFrames(response)) {
      if ('stream' in frame) {
        received.update(frame.bytes);
        bytes += frame.bytes.length;
      } else if (frame.event.type === 'exit') exit = frame.event;
      else
        writing = post(`processes/${frame.event.process_id}/stdin?close=true`, input).then((one) =>
          text(one),
        );
    }
    await writing;
    expect(exit).toMatchObject({ exit_code: 0, output_bytes: SIZE_MIB * MIB });
    expect([bytes, received.digest('hex')]).toEqual([SIZE_MIB * MIB, sent.digest('hex')]);
    // It is passed on, and not gathered.
    expect(peakOf(manager.pid) - before).toBeLessThan(200);
  });

  test('the end of the body in the middle cuts the output, which never looks complete', LONG, async () => {
    const { post, runtime, worker, reach, run } = await open({ restart_policy: 'always' });
    const response = await post('exec', { shell: 'cat /dev/zero' }, EXEC_FRAMES);
    const [body] = await runtime.find(worker, undefined);
    const kinds: string[] = [];
    const reading = (async () => {
      let bytes = 0;
      for await (const frame of readFrames(response)) {
        if ('stream' in frame) bytes += frame.bytes.length;
        else kinds.push(frame.event.type);
        if (bytes > 20 * MIB) {
          bytes = Number.NEGATIVE_INFINITY;
          await runtime.kill(body?.id ?? '');
        }
      }
    })();
    await expect(reading).rejects.toThrow();
    expect(kinds).toEqual(['started']);
    await reach(worker, { status: 'RUNNING', phase: 'ready', incarnation: 2 });
    expect(await run('echo again')).toMatchObject({ stdout: 'again\n', exit_code: 0 });
  });

  test('a client that goes away in the middle ends its command', LONG, async () => {
    const { post, call } = await open();
    const response = await post('exec', { shell: 'cat /dev/zero' }, EXEC_FRAMES);
    response.on('error', () => {});
    response.once('data', () => response.destroy());
    await vi.waitFor(async () => expect((await call('GET', 'processes')).body.items).toEqual([]), PATIENCE);
  });
});
