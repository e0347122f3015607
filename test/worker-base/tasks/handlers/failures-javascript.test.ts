import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Subject } from './subject.ts';

describe('what goes wrong in a function in JavaScript', () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = new Subject(['ill.mjs', 'well.ts']);
    await subject.slot.start();
  });
  afterAll(() => subject?.end());

  test('an error has its class, message, causes and the frames of the function alone', async () => {
    const error = await subject.failure({ function: 'jsFail', args: ['wrong'] });
    expect(error).toMatchObject({ type: 'RangeError', message: 'wrong' });
    expect(error.traceback).toMatch(
      /^RangeError: wrong\n {4}at .*jsFail .*ill\.mjs:[\s\S]*caused by: Error: the first/,
    );
    expect(error.traceback).not.toContain('runner.mjs');
    expect(await subject.failure({ function: 'jsFailWithoutError' })).toMatchObject({
      type: 'string',
      message: 'the function threw a string, which is not an Error',
    });
  });

  test.each([
    ['nan', 'result.a[1] is NaN, which JSON does not have: use null or a string'],
    [
      'bytes',
      "result.file.content is of type Buffer, which JSON does not have: use value.toString('base64')",
    ],
    ['map', 'result[0] is of type Map, which JSON does not have: use Object.fromEntries(value)'],
    ['big', 'result.id is of type bigint, which JSON does not have: use String(value)'],
    ['function', 'result.call is of type function, which JSON does not have'],
    ['itself', 'result.me holds itself'],
    ['deep', 'the result is nested too deeply'],
    ['error', 'result[0] is of type Error, which JSON does not have: use value.message'],
    ['settled', 'result[0].reason is of type Error'],
    ['date', 'result.at is an invalid Date'],
    ['regexp', 'result is of type RegExp'],
    ['set', 'result is of type Set'],
    ['number', 'result.id is a whole number beyond 2**53 - 1'],
    ['hole', 'result[1] is undefined'],
    ['nothing', 'result[1] is undefined'],
    ['generator', 'result is of type Generator, which JSON does not have: use [...value]'],
    ['iterator', 'result is of type Array Iterator, which JSON does not have: use [...value]'],
    ['url', 'result.query is of type URLSearchParams'],
    ['hidden', 'result.a[0] is of type bigint'],
    ['throws', "the result can't be made JSON: reading it failed: unreadable"],
  ])('a result that is not JSON is refused with the place: %s', async (name, message) => {
    const error = await subject.failure({ function: 'jsUnfit', args: [name] });
    expect(error).toMatchObject({ type: 'NotSerialisable', retry: false });
    expect(error.message).toContain(message);
  });

  test('a process that dies during a call is reported with its last output, and the next call has a fresh one', async () => {
    expect(await subject.failure({ function: 'jsVanish' })).toMatchObject({
      type: 'HandlerDied',
      message: 'The process of the function jsVanish exited with code 3 before it had a result.',
      traceback: 'last output\n',
    });
    const late = await subject.failure({ function: 'jsLateError' });
    expect(late).toMatchObject({ type: 'HandlerDied', traceback: expect.stringContaining('from a timer') });
    expect(await subject.call('jsLater', 1)).toBe('after 1');
  });

  test('what JSON holds arrives as it is', async () => {
    const result = (await subject.call('jsFits')) as Record<string, unknown>;
    expect(result).toEqual({ at: '1970-01-01T00:00:00.000Z', far: 1e300, zero: 0, own: expect.anything() });
    expect(JSON.stringify(result.own)).toBe('{"__proto__":1}');
  });

  test('an error that cannot be read fails its call alone', async () => {
    const pid = await subject.call('jsPid');
    expect(await subject.failure({ function: 'jsThrow', args: ['nothing'] })).toMatchObject({
      type: 'object',
      message: 'the function threw something without a text, which is not an Error',
    });
    for (const [name, message] of [
      ['stack', 'odd'],
      ['message', '(its message cannot be read)'],
      ['name', 'odd'],
      ['cause', 'odd'],
    ])
      expect(await subject.failure({ function: 'jsThrow', args: [name] })).toMatchObject({
        type: 'Error',
        message,
      });
    expect(await subject.call('jsPid')).toBe(pid);
  });

  // The next task was failed for it, as HandlerDied.
  test.each(['reject', 'throw'])(
    'what a call leaves behind, and that fails later by %s, fails no other',
    async (how) => {
      const pid = await subject.call('jsPid');
      subject.printed.length = 0;
      expect(await subject.call('jsLeave', how)).toBe('left');
      const progress: unknown[] = [];
      const next = { task_id: 'next', function: 'jsNap' };
      expect(await subject.slot.call(next, { onProgress: (value) => progress.push(value) })).toBe('slept');
      expect(progress).toEqual([]);
      expect(await subject.call('jsPid')).toBe(pid);
      expect(subject.printed.map(({ text }) => text).join('\n')).toMatch(
        /in what the task a-task left running after its function had returned:\nError: left behind/,
      );
    },
  );
});
