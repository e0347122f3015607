/** Schemathesis, a fuzzer of APIs with an OpenAPI document, from PyPI. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '4.32.5';
const FOLDER = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', `schemathesis-${VERSION}`);
const INSTALL_MS = 120_000;

/** The path of the program, or why it cannot be had on this machine. It is installed once for a checkout. */
export async function findSchemathesis(): Promise<{ program: string } | { missing: string }> {
  const program = join(FOLDER, 'bin', 'schemathesis');
  if (existsSync(program)) return { program };
  try {
    await run('python3', ['-m', 'venv', FOLDER], { timeout: INSTALL_MS });
    const pip = join(FOLDER, 'bin', 'pip');
    const options = ['--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '10'];
    await run(pip, ['install', ...options, `schemathesis==${VERSION}`], { timeout: INSTALL_MS });
    return { program };
  } catch (error) {
    // A half-made environment would be taken for a whole one.
    await rm(FOLDER, { recursive: true, force: true });
    return {
      missing: String((error as { stderr?: string }).stderr || error)
        .trim()
        .slice(-500),
    };
  }
}

/**
 * Nothing that is declared ever runs here, so a request that waits for a worker, or for more of a stream, would wait for its whole
 * time limit. 503 is an answer, because there is no engine.
 */
const CONFIG = `[checks]
not_a_server_error.expected-statuses = ["2xx", "4xx", 503]
`;
/** Before each call, because examples are not mapped as generated queries are. */
const HOOKS = `import schemathesis

schemathesis.serializer.alias("application/x-tar", "application/octet-stream")

@schemathesis.hook
def before_call(context, case, kwargs):
    query = dict(case.query or {})
    query.pop("wait", None)
    if "follow" in query or case.operation.path.endswith(("/output", "/events")):
        query["follow"] = "false"
    if any(parameter.name == "wait_seconds" for parameter in case.operation.query):
        query["wait_seconds"] = "0"
    case.query = query
`;

/** Sends generated requests for about `seconds`; resolves with its report, and whether it found no fault. */
export async function fuzz(
  program: string,
  { url, token, seconds, cwd }: { url: string; token: string; seconds: number; cwd: string },
): Promise<{ passed: boolean; report: string }> {
  const checks = [
    'not_a_server_error',
    'status_code_conformance',
    'content_type_conformance',
    'response_schema_conformance',
    'response_headers_conformance',
    'ignored_auth',
  ];
  await writeFile(join(cwd, 'schemathesis.toml'), CONFIG);
  await writeFile(join(cwd, 'hooks.py'), HOOKS);
  const args = ['run', `${url}/openapi.json`, '--checks', checks.join(','), '--max-time', String(seconds)];
  // One worker: with several, Python's parser fails now and then. The same seed repeats the same requests.
  args.push('--phases', 'examples,coverage,fuzzing', '--workers', '1', '--seed', '1', '--max-examples', '30');
  args.push('--continue-on-failure', '--no-shrink', '--no-color', '--warnings', 'off');
  // It waits for the worker, without a parameter: every parameter is the program's in the worker.
  args.push('--exclude-operation-id', 'requestPort');
  // Spelled so that it finds the header which it omits to see whether it is required.
  args.push('--header', `Authorization: Bearer ${token}`);
  const env = { ...process.env, SCHEMATHESIS_HOOKS: 'hooks' };
  const options = { cwd, env, timeout: (seconds + 60) * 1000, maxBuffer: 64 * 1024 ** 2 };
  try {
    return { passed: true, report: (await run(program, args, options)).stdout };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return { passed: false, report: `${stdout}${stderr}` || String(error) };
  }
}
