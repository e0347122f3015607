/**
 * Records the real CLIs into `golden/`. By hand, after a new version or case:
 * `node test/agents/record.ts BIN [claude|factory|codex] [CASE…]`, where BIN is a folder with `claude`, `droid` and `codex`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { getAgentKind } from '../../src/agents/index.ts';
import { workerSpec } from '../../src/model/worker/spec.ts';
import { type Model, startModel } from '../support/model/index.ts';
import { type Agent, CASES, type Case, isOf, type Moment, type Turn } from './cases.ts';
import { Conversation } from './conversation.ts';
import { GOLDEN, replay } from './golden.ts';
import { scrubber } from './scrub.ts';

const TYPES = { claude: 'CLAUDE', factory: 'FACTORY', codex: 'CODEX' } as const;
/** Maximum duration of a turn, including retries. */
const PATIENCE_MS = 120_000;

const [bin = '', only, ...names] = process.argv.slice(2);
if (!existsSync(bin)) throw new Error(`There is no "${bin}": name the folder of the CLIs.`);
for (const agent of Object.keys(TYPES) as Agent[]) {
  if (only && only !== agent) continue;
  for (const each of CASES) {
    if (!isOf(each, agent) || (names.length > 0 && !names.includes(each.name))) continue;
    await record(agent, each);
  }
}

async function record(agent: Agent, recorded: Case): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'record-'));
  const model = await startModel();
  const started = Date.now();
  try {
    const places = { home: join(root, 'home'), workspace: join(root, 'workspace'), root };
    prepare(places);
    const { session: earlier } = recorded.earlier
      ? await converse(agent, { ...recorded, turns: recorded.earlier }, places, model, undefined)
      : { session: recorded.session };
    const raw = await converse(agent, recorded, places, model, earlier);
    const scrub = scrubber([
      [places.workspace, '/workspace'],
      [places.home, '/home/agent'],
      [`127.0.0.1:${model.port}`, '127.0.0.1:1'],
      [root.replaceAll('/', '-'), '-'],
      [root, '/tmp/record'],
      [release(), '6.1.0'],
    ]);
    const json = (line: string) => {
      try {
        return JSON.stringify(scrub(JSON.parse(line)));
      } catch {
        return String(scrub(line));
      }
    };
    const stdout = raw.stdout.map(json);
    const calls = raw.calls;
    const session = earlier === undefined ? {} : { session: String(scrub(earlier)) };
    const { told } = replay(getAgentKind(TYPES[agent]).dialogue, { ...session, calls, stdout });
    const folder = join(GOLDEN, agent, recorded.name);
    mkdirSync(folder, { recursive: true });
    const stdin = raw.stdin.split('\n').slice(0, -1).map(json);
    writeFileSync(join(folder, 'stdin.jsonl'), stdin.map((line) => `${line}\n`).join(''));
    writeFileSync(join(folder, 'stdout.jsonl'), stdout.map((line) => `${line}\n`).join(''));
    writeFileSync(join(folder, 'events.json'), `${JSON.stringify({ ...session, calls, told }, null, 2)}\n`);
    const ends = told.flatMap(({ ended }) => (ended ? [ended.ok ? 'ok' : ended.reason] : []));
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${agent} ${recorded.name}: ${ends.join(', ')}; exit ${raw.exit}; ${seconds} s`);
  } finally {
    await model.close();
    rmSync(root, { recursive: true, force: true });
  }
}

interface Places {
  root: string;
  home: string;
  workspace: string;
}

/** A workspace with a repository, and a hook that allows only `git`. */
function prepare({ root, home, workspace }: Places): void {
  mkdirSync(home);
  mkdirSync(workspace);
  spawnSync('git', ['init', '--quiet', '--initial-branch=main', workspace]);
  const answer = (decision: string, reason: string) =>
    `printf '%s' '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"${decision}","permissionDecisionReason":"${reason}"}}'`;
  const script = [
    'case "$(cat)" in',
    `*'"command":"git '*) ${answer('allow', 'git is allowed')} ;;`,
    `*) ${answer('deny', 'curl is not in allowed_commands')} ;;`,
    'esac',
  ];
  writeFileSync(join(root, 'gate.sh'), `${script.join('\n')}\n`);
}

/** One process from its start to its end. */
async function converse(
  agent: Agent,
  { turns, spec: given, secrets = ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY'], unreachable }: Case,
  { root, home, workspace }: Places,
  model: Model,
  session: string | undefined,
) {
  const kind = getAgentKind(TYPES[agent]);
  const spec = workerSpec.parse({ agent_type: TYPES[agent], runtime: 'process', ...given });
  const modelProxyUrl = unreachable ? 'http://127.0.0.1:1' : model.url;
  const policyCommand = spec.allowed_commands && ['/bin/sh', join(root, 'gate.sh')];
  const launch = kind.launch({
    spec,
    workspace,
    home,
    modelProxyUrl,
    secrets,
    session,
    root: true,
    policyCommand,
  });
  for (const [path, content] of Object.entries(launch.files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  const [program = '', ...args] = launch.argv;
  const path = ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);
  const child = spawn(join(bin, program), args, {
    cwd: workspace,
    env: { HOME: home, PATH: path, LANG: 'C.UTF-8', ...spec.env, ...launch.env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const talk = new Conversation(kind.dialogue({ workspace, session }), child, session);
  talk.make({ call: 'open' });
  await Promise.race([talk.until((step) => step.ready === true), gone]);
  for (const turn of turns) {
    if (child.exitCode !== null) break;
    await give(turn, talk, model, workspace, gone);
  }
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  const exit = await gone;
  clearTimeout(timer);
  return { session: talk.session, stdin: talk.stdin, stdout: talk.stdout, calls: talk.calls, exit };
}

async function give(turn: Turn, talk: Conversation, model: Model, workspace: string, gone: Promise<unknown>) {
  const ended = talk.until((step) => step.ended !== undefined);
  talk.make({ call: 'prompt', content: turn.prompt });
  if (turn.interrupt) {
    await reached(turn.interrupt, model, workspace);
    talk.make({ call: 'interrupt' });
  }
  const late = new Promise((_, reject) => {
    const error = new Error(
      `The turn did not end: ${turn.prompt}\n${talk.stdout.slice(-3).join('\n').slice(0, 2000)}`,
    );
    setTimeout(() => reject(error), PATIENCE_MS).unref();
  });
  await Promise.race([ended, gone, late]);
}

async function reached(moment: Moment, model: Model, workspace: string): Promise<void> {
  if (moment === 'at once') return;
  if ('model' in moment) return model.waiting(moment.model);
  const path = join(workspace, moment.file);
  const until = Date.now() + PATIENCE_MS;
  while (!existsSync(path) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}
