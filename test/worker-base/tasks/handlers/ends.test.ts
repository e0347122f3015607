import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { TaskError } from '../../../../src/model/task/task-error.ts';
import { readProcess } from '../../../../src/runtimes/process/process-table.ts';
import { signal } from '../../../support/processes.ts';
import { handlers, python, Subject, soon, why } from './subject.ts';

const subjects: Subject[] = [];
async function started(names: string[], options = {}): Promise<Subject> {
  const subject = new Subject(names, options);
  subjects.push(subject);
  await subject.slot.start();
  return subject;
}
afterEach(async () => {
  for (const subject of subjects.splice(0)) await subject.end();
});

/** Ends a call once its processes have written their pids, and answers these. */
async function endOnceThere(subject: Subject, call: object, path: string, count: number): Promise<number[]> {
  const controller = new AbortController();
  const failed = subject.failure(call, { signal: controller.signal });
  const pids = () => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []).map(Number);
  await vi.waitFor(() => expect(pids()).toHaveLength(count), soon);
  controller.abort(new TaskError({ type: 'Timeout', message: 'It took too long.' }));
  expect(await failed).toMatchObject({ type: 'Timeout', message: 'It took too long.' });
  return pids();
}

async function expectGone(pids: number[]): Promise<void> {
  for (const pid of pids) expect(await readProcess(pid)).toBeUndefined();
}

describe.skipIf(!python)(`the end of a task in Python${why}`, () => {
  test('an endless loop ends, and the next call runs', async () => {
    const subject = await started(['ill.py', 'well.py']);
    const ended = await subject.failure({ function: 'spin' }, { signal: AbortSignal.timeout(100) });
    expect(ended).toMatchObject({ type: 'Aborted' });
    expect(await subject.call('add', 1)).toBe(2);
  });

  test('a function that swallows its cancellation is killed after the grace', async () => {
    const subject = await started(['well.py']);
    const path = subject.file('pid');
    await expectGone(await endOnceThere(subject, { function: 'stubborn', args: [path] }, path, 1));
  });

  test('nothing is left of one that ignores SIGTERM, with children that do so in and outside of its group', async () => {
    const subject = await started(['ill.py', 'well.py']);
    const path = subject.file('pids');
    await expectGone(await endOnceThere(subject, { function: 'ignores_signals', args: [path] }, path, 4));
    expect(await subject.call('add', 1)).toBe(2);
  });

  test('a signal that has fired before begins nothing', async () => {
    const subject = await started(['well.py']);
    const [pid] = (await subject.call('renamed')) as unknown[];
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    const ended = await subject.failure({ function: 'tidy', args: [subject.file('never')] }, { signal });
    expect(ended).toMatchObject({ type: 'Aborted', message: 'no longer wanted' });
    expect(existsSync(subject.file('never'))).toBe(false);
    expect(((await subject.call('renamed')) as unknown[])[0]).toBe(pid);
  });

  test('stop ends what runs, and all that calls have left', async () => {
    const subject = await started(['ill.py']);
    const child = (await subject.call('leave_behind', subject.file('child'))) as number;
    expect(await readProcess(child)).toBeDefined();
    const running = subject.failure({ function: 'spin' });
    await subject.slot.stop();
    expect(await running).toMatchObject({ type: 'Aborted', message: 'The worker is shutting down.' });
    await expectGone([child]);
  });

  test('a worker that is killed takes its busy functions with it', async () => {
    const subject = new Subject([]);
    subjects.push(subject);
    const worker = startHost(subject.dir, handlers('ill.py'), 'ignores_signals', subject.file('pids'));
    const path = subject.file('pids');
    const pids = () => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []).map(Number);
    try {
      await vi.waitFor(() => expect(pids()).toHaveLength(4), soon);
      const all = await Promise.all(pids().map(readProcess));
      const handler = all.find((one) => one?.ppid === worker.pid);
      const inGroup = all.filter((one) => one?.group === handler?.pid).map((one) => one?.pid ?? 0);
      expect(inGroup).toHaveLength(2);
      worker.kill('SIGKILL');
      // The group dies with the worker; what has left it is the runtime's to find.
      await vi.waitFor(() => expectGone(inGroup), soon);
    } finally {
      worker.kill('SIGKILL');
      for (const pid of pids()) signal(pid, 'SIGKILL');
    }
  });
});

describe('the end of a task in JavaScript', () => {
  test('an endless loop ends, and the next call runs', async () => {
    const subject = await started(['ill.mjs', 'well.ts']);
    const ended = await subject.failure({ function: 'jsSpin' }, { signal: AbortSignal.timeout(100) });
    expect(ended).toMatchObject({ type: 'Aborted' });
    expect(await subject.call('jsLater', 1)).toBe('after 1');
  });
});

describe('commands', () => {
  test('answer with exit code and the end of stdout, and print as the task', async () => {
    const { slot, printed } = await started([]);
    const run = (...command: string[]) => slot.call({ task_id: 't', command });
    expect(await run('sh', '-c', 'echo out; echo err >&2; echo $TASK_ID')).toEqual({
      exit_code: 0,
      stdout: 'out\nt\n',
      truncated: false,
    });
    const text = (stream: string) =>
      printed.filter((piece) => piece.stream === stream).map((piece) => piece.text);
    expect(text('stdout').join('\n')).toBe('out\nt');
    expect(text('stderr')).toEqual(['err']);
    expect(printed.every(({ taskId }) => taskId === 't')).toBe(true);
    const long = (await run('seq', '100000')) as { stdout: string; truncated: boolean };
    expect(long).toMatchObject({ exit_code: 0, truncated: true });
    expect(long.stdout).toMatch(/\n99999\n100000\n$/);
    expect(long.stdout).toHaveLength(65_536);
  });

  test('fail with their exit code, their signal, or the reason why they were not started', async () => {
    const subject = await started([]);
    expect(await subject.failure({ command: ['sh', '-c', 'echo why >&2; exit 3'] })).toMatchObject({
      type: 'CommandFailed',
      message: 'The command sh exited with code 3.',
      traceback: 'why\n',
      retry: true,
    });
    const killed = await subject.failure({ command: ['sh', '-c', 'kill -9 $$'] });
    expect(killed).toMatchObject({ message: 'The command sh was ended by SIGKILL.' });
    const missing = await subject.failure({ command: ['no-such-program'] });
    expect(missing).toMatchObject({ type: 'CommandNotStarted', retry: false });
    expect(missing.message).toContain('the program no-such-program or the folder');
  });

  test('are ended with all that they started', async () => {
    const subject = await started([]);
    const path = subject.file('pids');
    const deaf = `trap "" TERM; echo $$ >> ${path}; while :; do sleep 0.05; done`;
    const script = `(setsid sh -c '${deaf}' &) ; sh -c '${deaf}' & ${deaf}`;
    await expectGone(await endOnceThere(subject, { command: ['sh', '-c', script] }, path, 3));
  });

  test('have what they leave in their group ended too', async () => {
    const subject = await started([]);
    const command = ['sh', '-c', 'sleep 300 >/dev/null 2>&1 & echo $!'];
    const { stdout } = (await subject.slot.call({ task_id: 't', command })) as { stdout: string };
    await vi.waitFor(() => expectGone([Number(stdout)]), soon);
  });
});

/** Writes its pid, and then keeps printing for as long as it lives, in a session of its own. */
const writer = (path: string) => `setsid sh -c 'echo $$ >> ${path}; while :; do echo x; sleep 0.02; done' &`;

// Such a child held the slot for as long as it lived: its output was waited for to end.
describe('a child that keeps writing after its program has ended', () => {
  const pidIn = (path: string) => Number(readFileSync(path, 'utf8'));
  const there = (path: string) => `until [ -s ${path} ]; do sleep 0.01; done`;

  test('does not hold the slot of a command, which ends with its own exit code, and is ended', async () => {
    const subject = await started([]);
    for (const [code, type] of [
      [3, 'CommandFailed'],
      [0, undefined],
    ] as const) {
      const path = subject.file(`pid-${code}`);
      const call = { command: ['sh', '-c', `${writer(path)} ${there(path)}; exit ${code}`] };
      const error = await subject.failure(call).catch((thrown: Error) => thrown);
      if (type) expect(error).toMatchObject({ type, message: `The command sh exited with code ${code}.` });
      else expect(error.message).toContain('It succeeded with {"exit_code":0');
      await vi.waitFor(() => expectGone([pidIn(path)]), soon);
    }
  });

  test('does not hold the slot of a function that died, and is ended', async () => {
    const subject = await started(python ? ['ill.py', 'ill.mjs'] : ['ill.mjs']);
    for (const name of python ? ['leave_and_vanish', 'jsLeaveAndVanish'] : ['jsLeaveAndVanish']) {
      const path = subject.file(name);
      const error = await subject.failure({ function: name, args: [`${writer(path)} ${there(path)}`] });
      expect(error).toMatchObject({
        type: 'HandlerDied',
        message: `The process of the function ${name} exited with code 5 before it had a result.`,
      });
      await vi.waitFor(() => expectGone([pidIn(path)]), soon);
    }
  });

  test('is not awaited forever if its owner is unknown', async () => {
    const subject = await started([]);
    const path = subject.file('pid');
    const unmarked = `env -i setsid sh -c 'echo $$ >> ${path}; while :; do echo x; sleep 0.02; done' &`;
    const call = { command: ['sh', '-c', `${unmarked} ${there(path)}; exit 4`] };
    const failed = subject.failure(call);
    try {
      await vi.waitFor(() => expect(existsSync(path) && pidIn(path)).toBeGreaterThan(0), soon);
      expect(await failed).toMatchObject({ message: 'The command sh exited with code 4.' });
    } finally {
      signal(pidIn(path), 'SIGKILL');
    }
  });
});

/** A worker of its own, to be killed. */
function startHost(dir: string, files: string[], name: string, arg: string): ChildProcess {
  const slot = join(import.meta.dirname, '../../../../worker-base/tasks/handlers/handler-slot.ts');
  const program = `
    const { HandlerSlot } = await import(${JSON.stringify(slot)});
    const slot = new HandlerSlot({ handlers: ${JSON.stringify(files)}, cwd: ${JSON.stringify(dir)}, env: process.env, onOutput() {} });
    await slot.start();
    await slot.call({ task_id: 't', function: ${JSON.stringify(name)}, args: [${JSON.stringify(arg)}] });`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
