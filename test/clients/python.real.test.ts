/** The Python client as a user has it: its wheel in an empty project, against a real manager. */
import { access, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { CLIENT, createPythonProject, type PythonProject } from './python-project.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Many processes start here, also on a busy machine. */
const LONG = 240_000;
const redisUrl = inject('redisUrl');
const cell = newCell();

let manager: Manager;
let project: PythonProject;
let missing: string | undefined;

beforeAll(async () => {
  const starting = startManager({
    redisUrl,
    cell,
    env: { HANDLERS_DIR: join(ROOT, 'examples', 'handlers') },
  });
  const created = await createPythonProject(['pytest', 'mypy', 'websockets']);
  manager = await starting;
  if (typeof created === 'string') missing = created;
  else project = created;
}, LONG);

afterAll(async () => {
  await project?.remove();
  await manager?.stop();
  if (manager) await cleanCell({ redisUrl, cell, home: manager.home });
});

/** A shell of the manager's user: the address comes from the context file. */
const shell = () => ({ WORKER_MANAGER_HOME: manager.home, CELL: cell });

interface Example {
  where: string;
  code: string;
  printed: string;
}

/** The programs of a page, each with what it prints. */
async function readExamples(page: string): Promise<Example[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  const blocks = text.matchAll(/```python\n([\s\S]*?)```\n```text\n([\s\S]*?)```/g);
  return [...blocks].map(([, code = '', printed = ''], at) => ({
    where: `${page} ${at + 1}`,
    code,
    printed,
  }));
}

// They mostly wait for workers.
describe.concurrent('the Python client', () => {
  test('runs the examples of its pages', { timeout: LONG }, async ({ skip }) => {
    skip(missing !== undefined, missing);
    const pages = ['docs/sdk-python.md', 'docs/how-to/sandbox.md', 'clients/python/README.md'];
    const examples = (await Promise.all(pages.map(readExamples))).flat();
    expect(examples.length).toBeGreaterThan(4);
    const results = await Promise.all(
      examples.map(async ({ where, code }, at) => {
        await writeFile(join(project.folder, `example${at}.py`), code);
        const { output } = await project.python([`example${at}.py`], shell());
        return { where, output };
      }),
    );
    expect(results).toEqual(examples.map(({ where, printed }) => ({ where, output: printed })));
  });

  test('runs the program of the README', { timeout: LONG }, async ({ skip }) => {
    skip(missing !== undefined, missing);
    const [, written = ''] =
      /```python\n([\s\S]*?)```/.exec(await readFile(join(ROOT, 'README.md'), 'utf8')) ?? [];
    // Without Claude Code and its key: an agent that runs the prompt as a command.
    const claude = 'agent_type="CLAUDE", allowed_commands=["git"], secrets=["ANTHROPIC_API_KEY"]';
    expect(written).toContain(claude);
    const agent = join(ROOT, 'examples', 'agent.mjs');
    const custom = `agent_type="CUSTOM", protocol="json", runtime="process", command_line=["node", "${agent}"]`;
    await writeFile(join(project.folder, 'readme.py'), written.replace(claude, custom));
    const { code, output } = await project.python(['readme.py'], shell());
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('What') });
  });

  test('passes its tests', { timeout: LONG }, async ({ skip }) => {
    skip(missing !== undefined, missing);
    await cp(join(CLIENT, 'tests'), join(project.folder, 'tests'), { recursive: true });
    const env = { WM_URL: manager.url, WM_TOKEN: manager.token };
    const { code, output } = await project.python(
      ['-m', 'pytest', '-q', '-W', 'error', '-p', 'no:cacheprovider', 'tests'],
      env,
    );
    expect(output).not.toContain('skipped');
    expect(code, output).toBe(0);
  });

  test('has complete types', { timeout: LONG }, async ({ skip }) => {
    skip(missing !== undefined, missing);
    const program = [
      'import asyncio',
      'from worker_manager import AsyncManager, Manager, Task',
      'with Manager("http://127.0.0.1:1").workers.create(agent_type="CUSTOM", command_line=["true"]) as worker:',
      '    text: str = worker.send("hello").result(timeout=1).content',
      'async def main() -> None:',
      '    async with AsyncManager() as manager:',
      '        async for one in manager.workers.list(status="RUNNING"):',
      '            await one.stop()',
      '        await manager.pools.apply(name="text", count=2, handlers=["words.py"])',
      '        done: list[Task] = []',
      '',
    ];
    await writeFile(join(project.folder, 'program.py'), program.join('\n'));
    const wrong = 'from worker_manager import Manager\nManager().workers.create(agent_type="NONE")\n';
    await writeFile(join(project.folder, 'wrong.py'), wrong);
    const mypy = (...args: string[]) => project.python(['-m', 'mypy', '--strict', ...args]);
    const checked = await mypy('-p', 'worker_manager');
    expect(checked.code, checked.output).toBe(0);
    expect((await mypy('program.py')).output).toContain('Success');
    expect((await mypy('wrong.py')).output).toContain('"Literal[');
  });
});

test('the Python client continues after its manager was killed', { timeout: LONG }, async ({ skip }) => {
  skip(missing !== undefined, missing);
  const port = String(await freePort());
  const own = { redisUrl, cell: newCell(), env: { HTTP_PORT: port } };
  let current = await startManager(own);
  const { home, url, token } = current;
  onTestFinished(async () => {
    await current.stop();
    await cleanCell({ redisUrl, cell: own.cell, home });
  });
  await cp(join(import.meta.dirname, 'failover.py'), join(project.folder, 'failover.py'));
  const running = project.python(['failover.py'], { WM_URL: url, WM_TOKEN: token });
  await vi.waitFor(() => access(join(project.folder, 'ready')), 60_000);
  current.kill('SIGKILL');
  await current.exited;
  await writeFile(join(project.folder, 'killed'), '');
  current = await startManager({ ...own, home });
  const { stdout, output } = await running;
  expect(stdout, output).toBe(
    '{"lines": true, "answer": "HELLO", "ended": "STOPPED", "exits": [5], "last": true}\n',
  );
});
