import { openClaude } from './claude-dialogue.ts';
import { ANTHROPIC, ANTHROPIC_API_KEY, NO_KEY } from './credentials.ts';
import type { AgentKind, LaunchOptions } from './kind.ts';
import { formatCommandLine } from './shell-word.ts';

const SETTINGS = '.claude/worker.json';
/** The manager's tools, for a worker with a token of its own (docs/mcp.md). */
const TOOLS = '.claude/worker-tools.json';
const TOOLS_NAME = 'workers';
const TOKEN = 'WM_TOKEN';

const hasTools = ({ spec, secrets }: Pick<LaunchOptions, 'spec' | 'secrets'>) =>
  secrets.includes(TOKEN) && spec.env?.WM_URL !== undefined;

/**
 * Anthropic's Claude Code. One process serves the whole conversation: `--input-format stream-json` takes
 * prompts and interrupts on stdin. Tested with the pinned version.
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

function buildArgv(options: LaunchOptions): string[] {
  const { policyCommand, home, session } = options;
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
    // Without a hook, everything is allowed. With one, a command that neither the hook nor the rules allow is
    // denied; the hook alone would fail open.
    ...(policyCommand
      ? ['--permission-mode', 'dontAsk', '--settings', `${home}/${SETTINGS}`]
      : ['--dangerously-skip-permissions']),
    ...(hasTools(options) ? ['--mcp-config', `${home}/${TOOLS}`] : []),
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
    // A long command would outlive the turn, and its end would start an unrequested turn.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // Otherwise, it fetches telemetry and flags from hosts other than the model's.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // Its default of 10 retries takes minutes, and the model proxy times out an unanswered request earlier.
    CLAUDE_CODE_MAX_RETRIES: '4',
    API_TIMEOUT_MS: '120000',
    // Without prompting, it refuses to run as root unless this declares a sandbox.
    ...(root && !policyCommand && { IS_SANDBOX: '1' }),
  };
  const own = Object.entries(defaults).filter(([name]) => spec.env?.[name] === undefined);
  // It sends the header of the kind of credential that it was given.
  const token = secrets.includes('CLAUDE_CODE_OAUTH_TOKEN') && !secrets.includes('ANTHROPIC_API_KEY');
  return {
    ...Object.fromEntries(own),
    ANTHROPIC_BASE_URL: modelProxyUrl,
    [token ? 'CLAUDE_CODE_OAUTH_TOKEN' : 'ANTHROPIC_API_KEY']: NO_KEY,
  };
}

function buildFiles(options: LaunchOptions): Record<string, string> {
  const { policyCommand, spec } = options;
  const tools = hasTools(options) ? { [TOOLS]: buildTools(spec.env?.WM_URL ?? '') } : {};
  if (!policyCommand) return tools;
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
        ...(hasTools(options) ? [`mcp__${TOOLS_NAME}`] : []),
        ...(spec.allowed_commands ?? []).flatMap((name) => [`Bash(${name})`, `Bash(${name} *)`]),
      ],
      // The model's endpoint or the CLI itself runs these, which bypasses every limit on commands.
      deny: ['WebFetch', 'WebSearch'],
    },
    hooks: {
      PreToolUse: [
        { matcher: 'Bash', hooks: [{ type: 'command', command: formatCommandLine(policyCommand) }] },
      ],
    },
  };
  return { ...tools, [SETTINGS]: `${JSON.stringify(settings, null, 2)}\n` };
}

/** The token is read from its file when it is needed, so that it is in no configuration. */
function buildTools(url: string): string {
  const server = {
    type: 'http',
    url: `${url.replace(/\/+$/, '')}/mcp`,
    headersHelper: `printf '{"Authorization": "Bearer %s"}' "$(cat "$SECRETS_PATH/${TOKEN}")"`,
  };
  return `${JSON.stringify({ mcpServers: { [TOOLS_NAME]: server } }, null, 2)}\n`;
}
