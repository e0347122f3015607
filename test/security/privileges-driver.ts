/** Runs inside a container as the wrapper: makes a pipe for secrets, and ends an agent that does not want to end. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { AgentProcess } from '../../worker-base/agent/agent-process.ts';
import { getExitCode } from '../../worker-base/agent/exit.ts';
import { receiveSecrets } from '../../worker-base/boot/secrets.ts';
import { createPrivileges } from '../../worker-base/sandbox/privileges.ts';

const { PATH = '', SECRETS_PIPE: pipe = '', SPEC = '' } = process.env;
const secrets = await receiveSecrets({ pipe, signal: new AbortController().signal });
const settings = { workerId: 'test', incarnation: 1, workspace: '/workspace', inherited: { PATH } };
const hands = createPrivileges(settings, JSON.parse(SPEC));
/** Living processes of the agent's user; one that has ended stays in /proc until its parent has waited for it. */
const agents = (): number =>
  readdirSync('/proc').filter((pid) => {
    try {
      if (!/^\d+$/.test(pid)) return false;
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      return /^Uid:\s+10002\b/m.test(status) && !/^State:\s+[ZX]/m.test(status);
    } catch {
      return false;
    }
  }).length;

// Two processes that ignore signals, one of them an orphan, and one that keeps forking.
const script = `
trap '' TERM HUP
(trap '' TERM HUP; while :; do read -t 1 < <(:); done) &
while :; do bash -c ':' & done & echo started; while :; do read -t 1 < <(:); done`;
const [program = '', ...args] = hands.run(['bash', '-c', script]);
const agent = spawn(program, args, { env: { PATH }, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
await new Promise((resolve) => agent.stdout.once('data', resolve));
const before = agents();
await hands.killAll(agent.pid ?? 0);
const after = agents();

/** How `confine` reports a program's start and end, as the wrapper sees it. */
async function run(argv: string[]): Promise<object> {
  const order = { cwd: '/workspace', env: { PATH }, onPiece: () => {}, killRest: hands.killAll };
  try {
    const agent = await AgentProcess.start({ argv: hands.run(argv), ...order });
    const exit = await agent.exited;
    await agent.gather(() => Number.POSITIVE_INFINITY);
    return { ...exit, code: getExitCode(exit), own: agent.pid !== agent.group };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { failed: code, message };
  }
}
const ends = [];
for (const argv of [['no-such-program'], ['/etc/passwd'], ['bash', '-c', 'exit 3']])
  ends.push(await run(argv));
for (const signal of [34, 64, 15, 9]) ends.push(await run(['bash', '-c', `kill -${signal} $$`]));

/** Whether a program that prints at once is received before its start is known, and whether it is received at all. */
async function prints(): Promise<{ early: boolean; heard: boolean }> {
  let started = false;
  let early = false;
  let heard = false;
  const onPiece = () => {
    heard = true;
    early ||= !started;
  };
  const order = { argv: hands.run(['echo', 'hello']), cwd: '/workspace', env: { PATH }, onPiece };
  const printing = await AgentProcess.start({ ...order, killRest: hands.killAll });
  started = true;
  await printing.exited;
  await printing.gather(() => Number.POSITIVE_INFINITY);
  return { early, heard };
}
const printed = [];
for (let run = 0; run < 100; run++) printed.push(await prints());
const early = printed.filter((run) => run.early).length;
const heard = printed.filter((run) => run.heard).length;
console.log(JSON.stringify({ names: [...(secrets?.keys() ?? [])], before, after, ends, early, heard }));
setInterval(() => {}, 1e9);
