import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { handlers, python, Subject, why } from './subject.ts';

const subjects: Subject[] = [];
async function started(names: string[], options = {}): Promise<Subject> {
  const subject = new Subject(names, options);
  subjects.push(subject);
  await subject.slot.start();
  return subject;
}
/** Aborts a call as soon as its function reports that it has begun. */
function onceBegun() {
  const controller = new AbortController();
  return { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) };
}
afterEach(async () => {
  for (const subject of subjects.splice(0)) await subject.end();
});

describe.skipIf(!python)(`functions in Python${why}`, () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = new Subject(['well.py'], { graceMs: 15_000 });
    await subject.slot.start();
  });
  afterAll(() => subject?.end());

  test('are called by name or module, with arguments by place and by name, and answer JSON', async () => {
    const { slot } = subject;
    const call = (rest: object) => slot.call({ task_id: 't', function: 'add', ...rest });
    expect(await call({ args: [2] })).toBe(3);
    expect(await call({ args: [2], kwargs: { b: 40 } })).toBe(42);
    expect(await call({ function: 'well.add', kwargs: { a: 'x', b: 'y' } })).toBe('xy');
    expect(await call({ function: 'sleeping', args: [0.01, { awake: true }] })).toEqual({ awake: true });
    const value = {
      text: 'ä€😀 \u2028\n',
      list: [1, 1.5, -0.25, null, true],
      nested: { '': [] },
      safe: 2 ** 53 - 1,
    };
    expect(await call({ function: 'echo', args: [value] })).toEqual(value);
  });

  test('stay in one process from call to call, and know their task', async () => {
    const { slot } = subject;
    const [first] = (await slot.call({ task_id: 't-1', function: 'renamed' })) as unknown[];
    expect(await slot.call({ task_id: 't-2', function: 'renamed' })).toEqual([first, 't-2']);
  });

  test('report their progress in order', async () => {
    const { slot } = subject;
    const told: unknown[] = [];
    const call = { task_id: 't', function: 'steps', args: [500] };
    expect(await slot.call(call, { onProgress: (value) => told.push(value) })).toBe('done');
    expect(told).toEqual(Array.from({ length: 500 }, (_, step) => step));
  });

  test('have what they print, and what their children print, tagged with the task to the last character', async () => {
    const { slot } = subject;
    const printed = subject.printed;
    printed.length = 0;
    for (const task_id of ['t-1', 't-2']) {
      await slot.call({ task_id, function: 'talk', args: [task_id] });
      const mine = printed.filter(({ taskId }) => taskId === task_id);
      const told = (stream: string) =>
        mine.filter((piece) => piece.stream === stream).map(({ text }) => text);
      expect(told('stdout').join('\n').split('\n').sort()).toEqual(
        ['from a child', 'no newline', task_id].sort(),
      );
      expect(told('stderr')).toEqual([`${task_id} to stderr`]);
    }
    expect(printed.filter(({ taskId }) => taskId === undefined)).toEqual([]);
  });

  test('may print far more than a pipe holds, even while it is not read for a while', async () => {
    const { slot } = subject;
    const printed = subject.printed;
    printed.length = 0;
    const lines = () => printed.flatMap(({ text }) => text.split('\n'));
    expect(await slot.call({ task_id: 't', function: 'flood', args: [20_000] })).toBe(20_000);
    expect(lines()).toHaveLength(20_000);
    slot.pause();
    let over = false;
    const more = slot.call({ task_id: 'u', function: 'flood', args: [20_000] }).then(() => {
      over = true;
    });
    // Another slot's call takes longer than this one would, if it were read.
    const other = await started(['well.py']);
    await other.call('sleeping', 0.5, null);
    expect(over).toBe(false);
    slot.resume();
    await more;
    expect(lines()).toHaveLength(40_000);
    expect(printed.every(({ taskId }) => taskId !== undefined)).toBe(true);
  });

  test('take and answer 10 MB, and refuse to answer more than a line may hold', async () => {
    expect(await subject.call('big', 10)).toHaveLength(10 * 1024 ** 2);
    const text = 'x'.repeat(5 * 1024 ** 2);
    expect(await subject.call('echo', [text, text])).toEqual([text, text]);
    const error = await subject.failure({ function: 'big', args: [17] });
    expect(error).toMatchObject({ type: 'NotSerialisable', message: 'the result is longer than 16 MiB' });
    expect(await subject.call('add', 1)).toBe(2);
  });

  test('may start threads', async () => {
    expect(await subject.call('threads', 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('clean up when their task is aborted, within the grace', async () => {
    for (const name of ['tidy', 'tidy_async']) {
      const ended = await subject.failure({ function: name, args: [subject.file(name)] }, onceBegun());
      expect(ended).toMatchObject({ type: 'Aborted' });
      expect(readFileSync(subject.file(name), 'utf8')).toBe('cleaned up');
      expect(await subject.call('add', 1)).toBe(2);
    }
  });

  test('leave nothing beside the files that they are loaded from', () => {
    const [file = ''] = handlers('well.py');
    expect(readdirSync(dirname(file))).not.toContain('__pycache__');
  });

  test('have their environment and folder, and nothing else of ours', async () => {
    const listed = (await subject.slot.call({ task_id: 't', command: ['env'] })) as { stdout: string };
    const names = listed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['HOME', 'PATH', 'TASK_ID', 'WORKER_SLOT']);
  });
});

describe('functions in JavaScript and TypeScript', () => {
  test('are called with arguments, and the named ones as an object behind them', async () => {
    const { slot } = await started(['well.ts', 'ill.mjs']);
    const call = (name: string, ...args: unknown[]) => slot.call({ task_id: 't', function: name, args });
    const named = { task_id: 't', function: 'jsAdd', args: [2], kwargs: { b: 3 } };
    expect(await slot.call(named)).toEqual({ sum: 5 });
    expect(await call('jsLater', 5)).toBe('after 5');
    expect(await call('jsNested')).toBe('from the default export');
    expect(await call('jsNothing')).toBeNull();
    expect(await call('jsDate')).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  test('report progress and print, tagged with the task', async () => {
    const { slot, printed } = await started(['well.ts']);
    const told: unknown[] = [];
    const call = { task_id: 't-1', function: 'jsSteps', args: [50] };
    const [taskId] = (await slot.call(call, { onProgress: (value) => told.push(value) })) as unknown[];
    expect(taskId).toBe('t-1');
    expect(told).toEqual(Array.from({ length: 50 }, (_, step) => step));
    expect(printed.map(({ text }) => text).join('\n')).toBe('printed\nno newline');
    expect(printed.every((piece) => piece.taskId === 't-1')).toBe(true);
  });

  test('clean up by the signal, and are ended at once if they do not use it', async () => {
    const subject = await started(['well.ts'], { graceMs: 15_000 });
    const path = subject.file('tidy');
    const ended = await subject.failure({ function: 'jsTidy', args: [path] }, onceBegun());
    expect(ended).toMatchObject({ type: 'Aborted' });
    expect(readFileSync(path, 'utf8')).toBe('cleaned up');
    const since = performance.now();
    const again = { signal: AbortSignal.timeout(300) };
    await subject.failure({ function: 'jsLater', args: [3_600_000] }, again);
    expect(performance.now() - since).toBeLessThan(14_000);
  });
});

describe.skipIf(!python)(`both languages in one worker${why}`, () => {
  test('the name of the function chooses', async () => {
    const subject = new Subject(['well.py', 'well.ts', 'ill.py']);
    subjects.push(subject);
    expect(await subject.slot.start()).toEqual(expect.arrayContaining(['add', 'renamed', 'jsAdd', 'fail']));
    expect(await subject.call('add', 1)).toBe(2);
    expect(await subject.call('jsLater', 1)).toBe('after 1');
  });
});
