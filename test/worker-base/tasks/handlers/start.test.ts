import { afterEach, describe, expect, test } from 'vitest';
import type { TaskError } from '../../../../src/model/task/task-error.ts';
import { HandlerSlots } from '../../../../worker-base/tasks/handlers/handler-slots.ts';
import { handlers, python, Subject, why } from './subject.ts';

const subjects: Subject[] = [];
afterEach(async () => {
  for (const subject of subjects.splice(0)) await subject.end();
});

describe.skipIf(!python)(`the start of handlers${why}`, () => {
  const refusal = async (names: string[], options = {}) => {
    const subject = new Subject(names, options);
    subjects.push(subject);
    const error = await subject.slot.start().then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ type: 'HandlerNotStarted' });
    return error as TaskError;
  };

  test('is refused with the reason', async () => {
    expect((await refusal(['broken.py'])).message).toMatch(
      /broken\.py can't be used: ZeroDivisionError: division/,
    );
    expect((await refusal(['broken.py'])).traceback).toContain('broken.py", line 3');
    expect((await refusal(['broken.ts'])).message).toMatch(/broken\.ts can't be used: .*/);
    expect((await refusal(['missing.py'])).message).toContain('FileNotFoundError');
    expect((await refusal(['unmarked.py'])).message).toMatch(
      /no function in .*unmarked\.py is marked with @handler/,
    );
    expect((await refusal(['well.txt'])).message).toMatch(/well\.txt is not a handler file: .*\.py .*\.ts/);
    expect((await refusal(['well.py'], { python: 'python-none' })).message).toContain(
      'python-none is not installed',
    );
    expect((await refusal(['slow.py'], { startMs: 300 })).message).toContain('not loaded within 0.3 s');
    expect((await refusal(['leaves.py'])).message).toContain('their process ended while loading them');
  });

  test('is refused if a name occurs twice, in one language or in two', async () => {
    expect((await refusal(['well.py', 'twice.py'])).message).toMatch(
      /two functions are named "add": .*well\.py:\d+ and .*twice\.py:\d+/,
    );
    expect((await refusal(['well.py', 'twice.mjs'])).message).toContain('two functions are named "add"');
    expect((await refusal(['twice.mjs', 'twice-too.mjs'])).message).toMatch(
      /two functions are named "add": in .*twice\.mjs and .*twice-too\.mjs/,
    );
  });
});

describe.skipIf(!python)(`the slots of a worker${why}`, () => {
  test('run as many calls at once as there are, and the rest after them', async () => {
    const subject = new Subject([]);
    subjects.push(subject);
    const slots = await HandlerSlots.start(2, {
      handlers: handlers('well.py', 'ill.py'),
      cwd: subject.dir,
      env: { PATH: process.env.PATH ?? '' },
      onOutput: () => {},
    });
    try {
      expect(slots.functions).toContain('add');
      const call = (name: string, ...args: unknown[]) => slots.call({ task_id: 't', function: name, args });
      const spinning = slots.call({ task_id: 't', function: 'spin' }, { signal: AbortSignal.timeout(500) });
      const sums = Array.from({ length: 50 }, (_, at) => call('add', at, at));
      expect(await Promise.all(sums)).toEqual(Array.from({ length: 50 }, (_, at) => 2 * at));
      await expect(spinning).rejects.toMatchObject({ type: 'Aborted' });
      const pids = await Promise.all([call('renamed'), call('renamed')]);
      expect(new Set(pids.map((answer) => (answer as unknown[])[0])).size).toBe(2);
    } finally {
      await slots.stop();
    }
  });
});
