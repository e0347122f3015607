/**
 * `npm run demo [-- --runtime docker|process]`: shows the main features with real workers.
 *
 * It is an orchestrator: it creates two workers on `worker:commands`, reads their output, sends prompts, kills the
 * manager with SIGKILL in the middle of the output, and checks every line. Leaves nothing behind. Exit codes: 0; 1 with
 * the reason if a check failed; 2 for an invalid option; 130 after Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { errorMessage } from '../src/model/index.ts';
import { Cleanup } from './demo/cleanup.ts';
import { type DemoOptions, setStage } from './demo/environment.ts';
import { DemoOrchestrator } from './demo/orchestrator.ts';
import { Reporter } from './demo/reporter.ts';
import { play } from './demo/steps.ts';

const USAGE = `usage: npm run demo [-- --runtime docker|process]

Without an option, the demo uses the process runtime, and also Docker if a daemon responds.
--runtime docker requires Docker; as root, it installs and starts Docker if necessary.`;

const NEXT = `Next steps:
  npm start                                        run a manager; it prints its address
  npm run --silent wm -- create --help             create a worker from the shell
  npm test                                         run all tests against a real Redis and a real Docker
  README.md                                        read how to use it, from a shell, a program or an orchestrator`;

function readArguments(): DemoOptions {
  try {
    const { values } = parseArgs({ options: { runtime: { type: 'string' }, help: { type: 'boolean' } } });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const { runtime } = values;
    if (runtime === undefined || runtime === 'docker' || runtime === 'process') return runtime;
    throw new Error(`--runtime is "${runtime}", but must be docker or process.`);
  } catch (error) {
    console.error(`${errorMessage(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = readArguments();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
// A pager or `head` that is closed must not keep the cleanup from being done.
process.stdout.on('error', () => interrupted.abort(new Error('the output is no longer read')));

const reporter = new Reporter();
const cleanup = new Cleanup();
let failure: string | undefined;
let getLastOutput = () => '';
try {
  reporter.step('Prepare');
  const environment = await setStage(options, cleanup, (line) => reporter.say(line));
  const { manager, redisUrl, cell } = environment;
  getLastOutput = () => manager.lastOutput(10);
  const orchestrator = new DemoOrchestrator(redisUrl, cell, interrupted.signal, () => manager.obstacle);
  cleanup.add('connections', () => orchestrator.close());
  reporter.seen(
    `Redis: ${environment.redisHow}; bodies: ${[...new Set(environment.runtimes)].join(' and ')}; cell: ${cell}`,
  );
  await play(environment, orchestrator, reporter);
} catch (error) {
  failure = errorMessage(error);
}

if (failure) {
  console.error(
    `\n${interrupted.signal.aborted ? 'Interrupted' : 'FAILED'} at "${reporter.current}": ${failure}`,
  );
  if (!interrupted.signal.aborted && getLastOutput())
    console.error(`\nThe manager's last lines:\n${getLastOutput()}`);
}
reporter.step('Clean up');
const left = await cleanup.run();
if (left.length === 0) reporter.seen('nothing is left: no process, container, network, folder or key');
else failure = `${failure ?? ''} What could not be cleaned up: ${left.join('; ')}`.trim();

reporter.table();
if (failure) console.error(`\nThe demo failed: ${failure}`);
else console.log(`\n${NEXT}`);
process.exit(failure ? (interrupted.signal.aborted ? 130 : 1) : 0);
