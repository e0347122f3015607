/**
 * Runs inside a container in place of the wrapper: starts each attempt as the agent, in the way that the
 * wrapper starts agents, and prints the results. Bundled and passed to Node's standard input, because nothing
 * can be written there.
 */
import { spawnSync } from 'node:child_process';
import { createPrivileges } from '../../worker-base/sandbox/privileges.ts';
import type { Outcome, Work } from './subject.ts';

const { spec, landlock, prepare, attempts } = (globalThis as unknown as { work: Work }).work;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const settings = { workerId: 'test', incarnation: 1, workspace: '/workspace', inherited: { PATH } };
const hands = createPrivileges(settings, spec);
const env = { PATH, HOME: '/home/agent', WRAPPER: String(process.pid), LC_ALL: 'C' };

function start(argv: string[]): Outcome {
  const [program = '', ...rest] = argv;
  const options = { env, cwd: '/workspace', timeout: 60_000, encoding: 'utf8' } as const;
  const { status, signal, error, stdout, stderr } = spawnSync(program, rest, options);
  return { code: status ?? signal ?? String(error), output: `${stdout}${stderr}`.trim() };
}

/** Simulates a kernel without it. */
const without = (argv: string[]) => (landlock ? argv : argv.toSpliced(1, 0, '--without-landlock'));

const prepared = start(hands.helperCommand(['bash', '-euc', prepare]));
if (prepared.code !== 0) throw new Error(`The attempts could not be prepared: ${prepared.output}`);
const outcomes = attempts.map((script) => start(without(hands.run(['bash', '-c', script]))));
console.log(JSON.stringify({ enforcement: hands.enforcement, outcomes }));
