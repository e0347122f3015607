import { openClaude } from './claude-dialogue.ts';
import { ANTHROPIC, ANTHROPIC_API_KEY, NO_KEY } from './credentials.ts';
import type { AgentKind, LaunchOptions } from './kind.ts';
import { formatCommandLine } from './shell-word.ts';

const SETTINGS = '.claude/worker.json';

/**
 * Anthropic's Claude Code, one process for the whole conversation: `--input-format stream-json` takes prompts and
 * interrupts on stdin. Tried with the pinned version.
 */
export const claude: AgentKind = {
  type: 'CLAUDE',
  cli: { package: '@anthropic-ai/claude-code', version: '2.1.329', program: 'claude', debian: ['procps'] },
  credentials: [
    ANTHROPIC_API_KEY,
    { secret: 'CLAUDE_CODE_OAUTH_TOKEN', header: 'authorization', prefix: 'Bearer ' },
  ],
  model: ANTHROPIC,
  launch: (order) => ({ argv: buildArgv(order), env: buildEnv(order), files: buildFiles(order) }),
  dialogue: openClaude,
  conversation: ['.claude/projects'],
};

/** Tools that start unrequested turns: by the clock, or when something in the background happens. */
const TIMERS = ['CronCreate', 'CronDelete', 'CronList', 'Monitor', 'ScheduleWakeup'];

function buildArgv({ policyCommand, home, session }: LaunchOptions): string[] {
  return [
    'claude',
    '-p',
    '--input-format',
    'stream-json',
    '--output-format',
    'stream-json',
    '--verbose',
    '--disallowedTools',
    TIMERS.join(','),
    // Who has no hook to ask may do everything. With one, what neither it nor the rules allow is refused: the
    // hook alone would fail open.
    ...(policyCommand
      ? ['--permission-mode', 'dontAsk', '--settings', `${home}/${SETTINGS}`]
      : ['--dangerously-skip-permissions']),
    ...(session === undefined ? [] : ['--resume', session]),
  ];
}

function buildEnv({
  spec,
  modelProxyUrl,
  secrets,
  root,
  policyCommand,
}: LaunchOptions): Record<string, string> {
  const defaults = {
    // Long commands would run on after the turn, and their end would start an unrequested turn.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // Without it, telemetry and flags are fetched from other hosts than the model's.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // Its own 10 retries wait for minutes; and a request without an answer is given up by the gateway sooner.
    CLAUDE_CODE_MAX_RETRIES: '4',
    API_TIMEOUT_MS: '120000',
    // Without questions it refuses to work as root, unless this says that nothing can be harmed.
    ...(root && !policyCommand && { IS_SANDBOX: '1' }),
  };
  const own = Object.entries(defaults).filter(([name]) => spec.env?.[name] === undefined);
  // It marks its requests by the kind of credential that it believes to have.
  const token = secrets.includes('CLAUDE_CODE_OAUTH_TOKEN') && !secrets.includes('ANTHROPIC_API_KEY');
  return {
    ...Object.fromEntries(own),
    ANTHROPIC_BASE_URL: modelProxyUrl,
    [token ? 'CLAUDE_CODE_OAUTH_TOKEN' : 'ANTHROPIC_API_KEY']: NO_KEY,
  };
}

function buildFiles({ policyCommand, spec }: LaunchOptions): Record<string, string> {
  if (!policyCommand) return {};
  const settings = {
    permissions: {
      allow: [
        'Read',
        'Glob',
        'Grep',
        'Edit',
        'Write',
        'NotebookEdit',
        'Task',
        ...(spec.allowed_commands ?? []).flatMap((name) => [`Bash(${name})`, `Bash(${name} *)`]),
      ],
      // They are run by the model's endpoint or by the CLI itself, past everything that limits commands.
      deny: ['WebFetch', 'WebSearch'],
    },
    hooks: {
      PreToolUse: [
        { matcher: 'Bash', hooks: [{ type: 'command', command: formatCommandLine(policyCommand) }] },
      ],
    },
  };
  return { [SETTINGS]: `${JSON.stringify(settings, null, 2)}\n` };
}
