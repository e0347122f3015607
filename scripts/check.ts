/**
 * All checks that need neither Redis nor Docker: `npm run check [-- GATE …]`.
 *
 * The gates run concurrently, each as a separate program. Prints one line per gate, then the output of the failed ones.
 * Exit codes: 0 if all pass, 1 if one fails, 2 for an unknown gate.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** A gate that takes longer counts as hung. */
const GATE_MS = 300_000;
const FOLDERS = ['src', 'machines', 'worker-base', 'scripts', 'bench', 'deploy', 'page', 'test'];

interface Gate {
  name: string;
  argv: [string, ...string[]];
}

interface Result {
  gate: Gate;
  passed: boolean;
  output: string;
}

const gates: Gate[] = [
  { name: 'format and lint', argv: ['biome', 'check', '--colors=off', '.'] },
  { name: 'types', argv: ['tsc', '-p', '.'] },
  { name: 'types of the page', argv: ['tsc', '-p', 'page'] },
  { name: 'import rules', argv: ['depcruise', '--config', '.dependency-cruiser.cjs', ...FOLDERS] },
  { name: 'prose', argv: ['node', join('scripts', 'prose', 'check.ts')] },
  { name: 'dead code', argv: ['knip', '--no-progress'] },
  ...generators().map((file): Gate => {
    const name = file.replace(/^generate-|\.ts$/g, '');
    return { name: `${name} is fresh`, argv: ['node', join('scripts', file), '--check'] };
  }),
  { name: 'OpenAPI document', argv: ['node', 'scripts/lint-openapi.ts'] },
  { name: 'runtime names', argv: ['node', 'scripts/check-runtime-names.ts'] },
  { name: 'exported names', argv: ['node', 'scripts/check-names.ts'] },
  { name: 'unit tests', argv: ['vitest', 'run', '--project', 'unit'] },
];

/** Each `generate-NAME.ts` writes a committed file, and with `--check` fails if that file is stale. */
function generators(): string[] {
  return readdirSync(join(ROOT, 'scripts'))
    .filter((file) => /^generate-.*\.ts$/.test(file))
    .sort();
}

function run(gate: Gate): Promise<Result> {
  const began = performance.now();
  const [program, ...args] = gate.argv;
  const path = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: GATE_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    const end = (passed: boolean) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${passed ? 'ok    ' : 'FAILED'}  ${gate.name.padEnd(22)} ${seconds.padStart(6)} s`);
      resolve({ gate, passed, output });
    };
    child.once('error', (error) => {
      output += `${gate.argv.join(' ')} could not be started: ${error.message}. Run npm install first.\n`;
      end(false);
    });
    child.once('close', (code, signal) => {
      if (child.pid === undefined) return;
      if (signal !== null) output += `Ended by ${signal}, after at most ${GATE_MS / 1000} s.\n`;
      end(code === 0);
    });
  });
}

const requested = process.argv.slice(2);
const unknown = requested.filter((name) => !gates.some((gate) => gate.name === name));
if (unknown.length > 0) {
  console.error(
    `Unknown gate "${unknown.join('", "')}". Available: ${gates.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}

const chosen = gates.filter(({ name }) => requested.length === 0 || requested.includes(name));
const results = await Promise.all(chosen.map(run));
const failed = results.filter(({ passed }) => !passed);
for (const { gate, output } of failed) {
  console.log(`\n── ${gate.name}: ${gate.argv.join(' ')}\n\n${output.trim()}`);
}
const rest = results.length - failed.length;
console.log(
  `\n${failed.length === 0 ? `All ${rest} gates pass.` : `${failed.length} failed, ${rest} passed.`}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
