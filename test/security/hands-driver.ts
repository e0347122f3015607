/** Runs inside a container as the wrapper: makes a pipe for secrets, and ends an agent that does not want to end. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { handsOf } from '../../worker-base/hands.ts';
import { receiveSecrets } from '../../worker-base/secrets.ts';

const { PATH = '', SECRETS_PIPE: pipe = '', SPEC = '' } = process.env;
const secrets = await receiveSecrets({ pipe, signal: new AbortController().signal });
const settings = { workerId: 'test', incarnation: 1, workspace: '/workspace', inherited: { PATH } };
const hands = handsOf(settings, JSON.parse(SPEC));
const agents = (): number =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && /^Uid:\s+10002\b/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    } catch {
      return false;
    }
  }).length;

// Two that ignore signals, one of them an orphan, and one that makes new processes without end.
const script = `
trap '' TERM HUP
(trap '' TERM HUP; while :; do read -t 1 < <(:); done) &
while :; do bash -c ':' & done & echo started; while :; do read -t 1 < <(:); done`;
const [program = '', ...args] = hands.run(['bash', '-c', script]);
const agent = spawn(program, args, { env: { PATH }, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
await new Promise((resolve) => agent.stdout.once('data', resolve));
const before = agents();
await hands.killAll(agent.pid ?? 0);
console.log(JSON.stringify({ names: [...(secrets?.keys() ?? [])], before, after: agents() }));
setInterval(() => {}, 1e9);
