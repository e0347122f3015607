import { afterEach, describe, expect, test } from 'vitest';
import { TaskError } from '../../../../src/model/task/task-error.ts';
import { HandlerSlots } from '../../../../worker-base/tasks/handlers/handler-slots.ts';
import { handlers, python, Subject, why } from './subject.ts';

const subjects: Subject[] = [];
async function started(names: string[]): Promise<Subject> {
  const subject = new Subject(names);
  subjects.push(subject);
  await subject.slot.start();
  return subject;
}
afterEach(async () => {
  for (const subject of subjects.splice(0)) await subject.end();
});

const NOT_THE_RUNNERS = [
  'not json',
  'null',
  '7',
  '[]',
  '{}',
  '{"id":1}',
  '{"id":"1","result":1}',
  '{"id":99,"result":1}',
  '{"id":99,"progress":1}',
  '{"id":1.5,"result":1}',
  '{"id":1,"error":null}',
  '{"id":1,"error":"wrong"}',
  '{"id":1,"error":{"type":1,"message":"wrong"}}',
  '{"id":1,"error":{"type":"A","message":"b","traceback":{}}}',
  '{"id":1,"result":1,"error":{"type":"A","message":"b"}}',
  '{"ready":["add"]}',
  '{"ready":7}',
  '{"failed":"wrong"}',
];

// One such line ended the whole worker once, and with it the tasks of its other slots.
describe.skipIf(!python)(`a function that writes to the runner's descriptor, in Python${why}`, () => {
  test('ends its process and its task, and no other; a new process replaces it', {
    timeout: 60_000,
  }, async () => {
    const subject = new Subject([]);
    subjects.push(subject);
    const slots = await HandlerSlots.start(2, {
      handlers: handlers('ill.py', 'well.py'),
      cwd: subject.dir,
      env: { PATH: process.env.PATH ?? '' },
      graceMs: 300,
      onOutput: () => {},
    });
    try {
      const call = (name: string, ...args: unknown[]) => slots.call({ task_id: 't', function: name, args });
      let over = false;
      const long = call('sleeping', 60, 'slept').finally(() => {
        over = true;
      });
      long.catch(() => {});
      for (const text of NOT_THE_RUNNERS) {
        const error = await call('write_to_the_runner', text, 60).then(String, (thrown: TaskError) => thrown);
        expect(error, text).toBeInstanceOf(TaskError);
        expect(error, text).toMatchObject({ type: 'HandlerDied', retry: true });
        expect((error as TaskError).message, text).toBe(
          `The process of the function write_to_the_runner was ended: it wrote data to descriptor 4, which belongs to the runner: ${JSON.stringify(text)}`,
        );
        expect(await call('add', 1)).toBe(2);
      }
      expect(over).toBe(false);
    } finally {
      await slots.stop();
    }
  });

  test('and returns at once ends too, and its result does not count', async () => {
    const subject = await started(['ill.py', 'well.py']);
    const [before] = (await subject.call('renamed')) as unknown[];
    const error = await subject.failure({ function: 'write_to_the_runner', args: ['"', 0] });
    expect(error).toMatchObject({ type: 'HandlerDied' });
    expect(((await subject.call('renamed')) as unknown[])[0]).not.toBe(before);
  });

  test('with a beginning of a line has its own answer spoilt', async () => {
    const subject = await started(['ill.py', 'well.py']);
    const beginning = 'x'.repeat(1000);
    const error = await subject.failure({ function: 'write_to_the_runner', args: [beginning, 0, ''] });
    expect(error).toMatchObject({ type: 'HandlerDied' });
    expect(error.message).toContain(`"${'x'.repeat(100)}…"`);
    expect(await subject.call('add', 1)).toBe(2);
  });

  test('as if it were the runner, and answers twice, does not harm the next call', async () => {
    const subject = await started(['ill.py', 'well.py']);
    const text = '{"id":1,"result":"its own"}';
    expect(await subject.call('write_to_the_runner', text, 0.2)).toBe('its own');
    expect(await subject.call('add', 1)).toBe(2);
  });

  test('while its file is loaded is reported as the reason', async () => {
    const subject = new Subject(['writes.py']);
    subjects.push(subject);
    const error = await subject.slot.start().catch((thrown: TaskError) => thrown);
    expect(error).toMatchObject({ type: 'HandlerNotStarted' });
    expect((error as TaskError).message).toContain(
      'writes.py can\'t be used: it wrote data to descriptor 4, which belongs to the runner: "null"',
    );
  });
});

describe("a function that writes to the runner's descriptor, in JavaScript", () => {
  test('ends its process and its task; a new process replaces it', async () => {
    const subject = await started(['ill.mjs', 'well.ts']);
    for (const text of ['not json', 'null']) {
      const error = await subject.failure({ function: 'jsWriteToTheRunner', args: [text] });
      expect(error).toMatchObject({
        type: 'HandlerDied',
        message: expect.stringContaining('belongs to the runner'),
      });
      expect(await subject.call('jsLater', 1)).toBe('after 1');
    }
  });

  test('is not taken for one where its error has no name', async () => {
    const subject = await started(['ill.mjs']);
    expect(await subject.failure({ function: 'jsOddName' })).toMatchObject({ type: 'Error', message: 'odd' });
  });
});
