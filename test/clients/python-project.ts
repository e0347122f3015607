/** An empty Python project with the client installed from its wheel, as a user has it. */
import { type ExecFileException, execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CLIENT = join(import.meta.dirname, '../../clients/python');

/** The oldest supported Python, and whatever is here. pyenv selects a version by its variable. */
const PYTHONS = [
  ['python3.9', '3.9'],
  ['python3', undefined],
] as const;

export interface ProgramResult {
  code: number;
  /** stdout, and after it stderr. */
  output: string;
  stdout: string;
}

export interface PythonProject {
  folder: string;
  /** Such as `Python 3.9.18`. */
  version: string;
  /** Runs Python of the project in its folder. */
  python: (args: string[], env?: Record<string, string>) => Promise<ProgramResult>;
  remove: () => Promise<void>;
}

const BASE_ENV = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PYTHONDONTWRITEBYTECODE: '1' };

function run(program: string, args: string[], cwd: string, env: Record<string, string | undefined>) {
  return new Promise<ProgramResult>((resolve) => {
    const end = (error: ExecFileException | null, stdout: string, stderr: string) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, output: `${stdout}${stderr}${code === -1 ? error?.message : ''}` });
    };
    execFile(program, args, { cwd, env, timeout: 200_000, maxBuffer: 16 << 20 }, end);
  });
}

/** Builds the wheel and installs it with these packages; returns the reason if this machine cannot do that. */
export async function createPythonProject(packages: string[]): Promise<PythonProject | string> {
  const folder = await mkdtemp(join(tmpdir(), 'wm-python-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const fail = async (what: string, { output }: ProgramResult) => {
    await remove();
    if (/Could not find a version|No matching distribution|Connection|Could not fetch URL/.test(output))
      return `PyPI cannot be reached: ${output.trim().split('\n').at(-1)}`;
    throw new Error(`${what} failed:\n${output}`);
  };
  let version: string | undefined;
  for (const [program, pyenv] of PYTHONS) {
    const env = { ...BASE_ENV, ...(pyenv && { PYENV_VERSION: pyenv }) };
    const found = await run(program, ['--version'], folder, env);
    if (found.code !== 0) continue;
    const made = await run(program, ['-m', 'venv', 'venv'], folder, env);
    if (made.code !== 0) return fail('python -m venv', made);
    version = found.output.trim();
    break;
  }
  if (version === undefined) {
    await remove();
    return 'There is no python3 here.';
  }
  const python: PythonProject['python'] = (args, env = {}) =>
    run(join(folder, 'venv', 'bin', 'python'), args, folder, { ...BASE_ENV, ...env });
  // Builds leave nothing in the checkout.
  await mkdir(join(folder, 'wheel'));
  await cp(CLIENT, join(folder, 'source'), { recursive: true });
  const built = await python(['-m', 'pip', 'wheel', '-q', '--no-deps', '-w', 'wheel', './source']);
  if (built.code !== 0) return fail('pip wheel', built);
  await rm(join(folder, 'source'), { recursive: true });
  const [wheel = ''] = await readdir(join(folder, 'wheel'));
  const installed = await python([
    '-m',
    'pip',
    'install',
    '-q',
    '--no-compile',
    join('wheel', wheel),
    ...packages,
  ]);
  if (installed.code !== 0) return fail('pip install', installed);
  return { folder, version, python, remove };
}
