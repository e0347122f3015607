import { openCodex } from './codex-dialogue.ts';
import { NO_KEY } from './credentials.ts';
import type { AgentKind, LaunchOptions } from './kind.ts';
import { formatCommandLine } from './shell-word.ts';

/** The Responses API, and its key (platform.openai.com/docs/api-reference). */
const OPENAI = { variable: 'OPENAI_BASE_URL', url: 'https://api.openai.com/v1' };
/** The default model, used if `env` does not set CODEX_MODEL. */
const MODEL = 'gpt-5.5';

/**
 * OpenAI's Codex. One process serves the whole conversation through its app server (JSON-RPC over lines). The
 * app server is experimental, so the version is pinned. It calls the Responses API with a key, not a ChatGPT
 * account.
 */
export const codex: AgentKind = {
  type: 'CODEX',
  cli: {
    package: '@openai/codex',
    version: '0.169.0',
    program: 'codex',
    native: '@openai/codex-linux-*/vendor/*/bin/codex',
    debian: ['ripgrep'],
  },
  credentials: [{ secret: 'OPENAI_API_KEY', header: 'authorization', prefix: 'Bearer ' }],
  model: OPENAI,
  launch: (order) => ({
    argv: ['codex', 'app-server'],
    env: { OPENAI_API_KEY: NO_KEY },
    files: { '.codex/config.toml': buildConfig(order) },
  }),
  dialogue: openCodex,
  conversation: ['.codex/sessions'],
};

/** JSON strings are valid TOML strings. */
const quoted = (text: string) => JSON.stringify(text);

function buildConfig({ spec, modelProxyUrl, policyCommand }: LaunchOptions): string {
  return [
    `model = ${quoted(spec.env?.CODEX_MODEL ?? MODEL)}`,
    'model_provider = "worker"',
    // The container is the sandbox, and there is no user to approve commands.
    'approval_policy = "never"',
    'sandbox_mode = "danger-full-access"',
    // A login shell would replace the worker's PATH.
    'allow_login_shell = false',
    'check_for_update_on_startup = false',
    // The model's endpoint would run it, which bypasses every limit on commands.
    ...(policyCommand ? ['web_search = "disabled"'] : []),
    '[analytics]',
    'enabled = false',
    '[features]',
    // Features that would start unrequested turns, fetch unrequested data, or never give up.
    ...['apps', 'goals', 'plugins', 'remote_plugin', 'unbounded_connection_retries'].map(
      (name) => `${name} = false`,
    ),
    '[model_providers.worker]',
    'name = "Worker"',
    `base_url = ${quoted(modelProxyUrl)}`,
    'wire_api = "responses"',
    'env_key = "OPENAI_API_KEY"',
    'supports_websockets = false',
    // Codex reports one kind of retry but not the other.
    'request_max_retries = 0',
    'stream_max_retries = 4',
    // The model proxy times out an unanswered request earlier.
    'stream_idle_timeout_ms = 130000',
    ...(policyCommand
      ? [
          '[[hooks.PreToolUse]]',
          'matcher = "Bash"',
          '[[hooks.PreToolUse.hooks]]',
          'type = "command"',
          `command = ${quoted(formatCommandLine(policyCommand))}`,
        ]
      : []),
    '',
  ].join('\n');
}
