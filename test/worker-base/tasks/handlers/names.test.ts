/** One rule for the names of functions: what a worker announces, the API takes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { FUNCTION_NAME } from '../../../../src/model/task/function-name.ts';
import { HandlerSlot } from '../../../../worker-base/tasks/handlers/handler-slot.ts';
import { python, Subject, why } from './subject.ts';

const subjects: Subject[] = [];
afterEach(async () => {
  for (const subject of subjects.splice(0)) await subject.end();
});

function slotOf(files: Record<string, string>): { slot: HandlerSlot; subject: Subject } {
  const subject = new Subject([]);
  subjects.push(subject);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(subject.dir, { recursive: true });
    writeFileSync(subject.file(name), text);
  }
  const slot = new HandlerSlot({
    handlers: Object.keys(files).map((name) => subject.file(name)),
    cwd: subject.dir,
    env: { PATH: process.env.PATH ?? '' },
    graceMs: 300,
    onOutput: () => {},
  });
  return { slot, subject };
}

const marked = (name: string, result: string) =>
  `from worker_manager import handler\n@handler(name=${JSON.stringify(name)})\ndef f():\n    return ${JSON.stringify(result)}\n`;

test.skipIf(!python)(`names of every script are announced and called${why}`, async () => {
  const { slot } = slotOf({
    'a.py': 'from worker_manager import handler\n@handler\ndef größe():\n    return "py"\n',
    'b.mjs': 'export const länge = () => "js";',
    'c.py': marked('mail.send-all', 'sent'),
  });
  try {
    const names = await slot.start();
    expect(names.sort()).toEqual(['größe', 'länge', 'mail.send-all']);
    for (const name of names) expect(name).toMatch(FUNCTION_NAME);
    const call = (name: string) => slot.call({ task_id: 't', function: name });
    expect(await call('größe')).toBe('py');
    expect(await call('länge')).toBe('js');
    expect(await call('a.größe')).toBe('py');
    expect(await call('mail.send-all')).toBe('sent');
  } finally {
    await slot.stop();
  }
});

// They were announced, and refused by the API.
test.skipIf(!python).each(['do it', '2fa.send', '', 'a..b', 'x'.repeat(257)])(
  `the name %j is refused when it is loaded${why}`,
  async (name) => {
    const { slot } = slotOf({ 'a.py': marked(name, '') });
    const error = await slot.start().then(String, (thrown: Error) => thrown.message);
    if (name === '') expect(error).toBe('f');
    else expect(error).toMatch(/cannot be called by tasks: a name has letters/);
    await slot.stop();
  },
);

test('a name that JavaScript allows and no task can use is refused, too', async () => {
  const { slot } = slotOf({ 'a.mjs': 'const f = () => 1; export { f as "do it" };' });
  const error = await slot.start().then(String, (thrown: Error) => thrown.message);
  expect(error).toMatch(/the function "do it" in .*a\.mjs cannot be called by tasks/);
});

// `words.jb` ran the `jb` of another file.
test('a module names the file that the function is from', async () => {
  const { slot } = slotOf({
    'words.mjs': 'export const upper = () => "words";',
    'other.mjs': 'export const jb = () => "other";',
  });
  try {
    await slot.start();
    expect(await slot.call({ task_id: 't', function: 'other.jb' })).toBe('other');
    expect(await slot.call({ task_id: 't', function: 'jb' })).toBe('other');
    await expect(slot.call({ task_id: 't', function: 'words.jb' })).rejects.toMatchObject({
      type: 'UnknownFunction',
    });
  } finally {
    await slot.stop();
  }
});
