import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { python, Subject, why } from './subject.ts';

describe.skipIf(!python)(`what goes wrong in a function in Python${why}`, () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = new Subject(['ill.py', 'well.py']);
    await subject.slot.start();
  });
  afterAll(() => subject?.end());
  const pid = async () => ((await subject.call('renamed')) as unknown[])[0];

  test('an exception has its class, message and the frames of the function alone', async () => {
    const error = await subject.failure({ function: 'fail', args: ['ä is wrong'] });
    expect(error).toMatchObject({ type: 'ValueError', message: 'ä is wrong', retry: true });
    expect(error.traceback).toMatch(/^Traceback .*\n {2}File ".*ill\.py", line \d+, in fail\n/);
    expect(error.traceback).not.toContain('runner.py');
    const caused = await subject.failure({ function: 'fail_with_cause' });
    expect(caused).toMatchObject({ type: 'RuntimeError', message: 'the second' });
    expect(caused.traceback).toMatch(/KeyError: 'missing'[\s\S]*direct cause[\s\S]*the second/);
    expect(await subject.failure({ function: 'fail_oddly' })).toMatchObject({
      type: 'ill.Odd',
      message: "(its text can't be made: RuntimeError)",
    });
    expect(await subject.failure({ function: 'recurse' })).toMatchObject({ type: 'RecursionError' });
  });

  test('wrong arguments and unknown names are reported as such', async () => {
    const wrong = await subject.failure({ function: 'fail', args: [1, 2, 3] });
    expect(wrong).toMatchObject({ type: 'TypeError', message: expect.stringContaining('fail() takes 1') });
    const unknown = await subject.failure({ function: 'square' });
    expect(unknown).toMatchObject({ type: 'UnknownFunction', retry: false });
    expect(unknown.message).toContain('This worker has no function square. Its functions are: fail, ');
    let deep: unknown = 0;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const nested = await subject.failure({ function: 'echo', args: [deep] });
    expect(nested).toMatchObject({ type: 'NotSerialisable', message: expect.stringContaining('too deeply') });
  });

  test('sys.exit ends the call and not the process', async () => {
    const before = await pid();
    expect(await subject.failure({ function: 'leave', args: [3] })).toMatchObject({
      type: 'SystemExit',
      message: 'the function called sys.exit(3)',
    });
    expect(await pid()).toBe(before);
  });

  test.each([
    ['nan', 'result.a[1] is nan, which JSON does not have: use None or a string'],
    ['infinity', 'result[0] is -inf, which JSON does not have: use None or a string'],
    ['bytes', 'result.file.content is of type bytes, which JSON does not have: encode it, such as base64'],
    ['date', 'result is of type datetime, which JSON does not have: use value.isoformat()'],
    ['decimal', 'result is of type Decimal, which JSON does not have: use str(value)'],
    ['set', 'result is of type set, which JSON does not have: use sorted(value)'],
    ['big', 'result.id is a whole number beyond 2**53 - 1, which JSON readers round: use str(value)'],
    ['biggest', 'result is a whole number beyond 2**53 - 1'],
    ['key', 'result has a key of type tuple: keys are strings in JSON'],
    ['function', 'result is of type builtin_function_or_method, which JSON does not have'],
    ['generator', 'result is of type generator, which JSON does not have: use list(value)'],
    ['itself', 'the result is nested too deeply, or holds itself'],
    ['deep', 'the result is nested too deeply, or holds itself'],
    ['merged', "result.a[0] has the keys 1 and '1', which are one in JSON"],
    ['merged_true', "result has the keys True and 'true', which are one in JSON"],
  ])('a result that is not JSON is refused with the place: %s', async (name, message) => {
    const error = await subject.failure({ function: 'unfit', args: [name] });
    expect(error).toMatchObject({ type: 'NotSerialisable', retry: false });
    expect(error.message).toContain(message);
  });

  test('what JSON holds in another way arrives as it is', async () => {
    expect(await subject.call('unmixed', 'mixed')).toEqual({ '1': 'a', b: 'c' });
    expect(await subject.call('unmixed', 'half')).toBe('\ud800');
    // As escapes it was longer than a result may be.
    expect(await subject.call('unmixed', 'long')).toHaveLength(6 * 2 ** 20);
  });

  test('an error whose text ends the process fails its call alone', async () => {
    const before = await pid();
    const error = await subject.failure({ function: 'fail_and_leave' });
    expect(error).toMatchObject({
      type: 'ill.Leaving',
      message: "(its text can't be made: SystemExit)",
    });
    expect(await pid()).toBe(before);
  });

  // Their lines were mixed, and the function was ended for it.
  test('threads and forks that report at once do not mix their lines', async () => {
    const told: { who: string; number: number; text: string }[] = [];
    const call = { task_id: 't', function: 'many_writers', args: [20, 300_000] };
    const result = await subject.slot.call(call, { onProgress: (value) => told.push(value as never) });
    expect(result).toBe(0);
    for (const who of ['a', 'b', 'c']) {
      const own = told.filter((one) => one.who === who);
      expect(own.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, at) => at));
      expect(own.every(({ text }) => text === who.repeat(300_000))).toBe(true);
    }
  });

  test('progress that JSON would change is refused with the place', async () => {
    expect(await subject.failure({ function: 'odd_progress' })).toMatchObject({
      type: 'TypeError',
      message: expect.stringContaining('progress.at is a whole number beyond 2**53 - 1'),
    });
  });

  test('a process that dies during a call is reported with its last output, and the next call has a fresh one', async () => {
    const before = await pid();
    const vanished = await subject.failure({ function: 'vanish', args: [3] });
    expect(vanished).toMatchObject({
      type: 'HandlerDied',
      message: 'The process of the function vanish exited with code 3 before it had a result.',
      traceback: 'last output\n',
    });
    expect(await pid()).not.toBe(before);
    const crashed = await subject.failure({ function: 'crash' });
    expect(crashed).toMatchObject({
      type: 'HandlerDied',
      message: expect.stringContaining('ended by SIGSEGV'),
    });
    expect(crashed.traceback).toMatch(
      /Fatal Python error: Segmentation fault[\s\S]*ill\.py", line \d+ in crash/,
    );
    expect(await subject.call('add', 1)).toBe(2);
  });

  test('a forked child that comes back does not answer for its parent', async () => {
    const before = await pid();
    expect(await subject.call('fork_and_return')).toBe('parent');
    expect(await subject.call('fork_and_raise')).toBe('parent');
    subject.printed.length = 0;
    for (let round = 0; round < 10; round += 1)
      expect(await subject.call('pool', 'fork')).toEqual([0, 1, 4, 9]);
    expect(subject.printed).toEqual([]);
    expect(await subject.call('pool', 'spawn')).toEqual([0, 1, 4, 9]);
    expect(await pid()).toBe(before);
  });

  test('closed descriptors are survived if they are its own, and reported if they are ours', async () => {
    expect(await subject.call('close_output')).toBe('quiet');
    const why = 'the function has closed the descriptors 3 or 4, which belong to the runner';
    for (const call of [
      { function: 'close_all' },
      { function: 'close_and_open', args: [subject.file('own')] },
    ])
      expect(await subject.failure(call)).toMatchObject({
        type: 'HandlerDied',
        message: expect.stringContaining(why),
      });
    expect(await subject.call('add', 1)).toBe(2);
  });
});
