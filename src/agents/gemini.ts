import { NO_KEY } from './credentials.ts';
import type { AgentKind, LaunchOrder } from './kind.ts';

/** The model that is asked where `env` does not name one in GEMINI_MODEL. Its own "auto" asks another which to ask. */
const MODEL = 'gemini-2.5-pro';

/**
 * Google's Gemini CLI, one process for the whole conversation: it speaks the Agent Client Protocol, which the wrapper
 * conducts. Where commands are limited it asks before each, and the wrapper answers. It asks the Gemini API with a key.
 */
export const gemini: AgentKind = {
  type: 'GEMINI',
  cli: {
    package: '@google/gemini-cli',
    version: '0.61.0',
    program: 'gemini',
    script: { folder: '@google/gemini-cli/bundle', file: 'gemini.js' },
    debian: ['ripgrep'],
  },
  credentials: [{ secret: 'GEMINI_API_KEY', header: 'x-goog-api-key', prefix: '' }],
  model: { variable: 'GOOGLE_GEMINI_BASE_URL', url: 'https://generativelanguage.googleapis.com' },
  launch: (order) => ({
    argv: ['gemini', '--acp', '--approval-mode', order.gate ? 'default' : 'yolo'],
    env: envOf(order),
    files: { '.gemini/settings.json': `${JSON.stringify(settingsOf(order), null, 2)}\n` },
  }),
  acp: true,
  dialogue: () => {
    throw new Error('Gemini CLI speaks ACP and has no dialogue of lines; the wrapper drives it by the SDK.');
  },
  // The list of projects says which folder of the others belongs to the workspace.
  conversation: ['.gemini/tmp', '.gemini/projects.json'],
};

const envOf = ({ spec, gateway }: LaunchOrder): Record<string, string> => ({
  GEMINI_API_KEY: NO_KEY,
  GOOGLE_GEMINI_BASE_URL: gateway,
  ...(spec.env?.GEMINI_MODEL === undefined && { GEMINI_MODEL: MODEL }),
  // Else it starts itself a second time, for more memory.
  GEMINI_CLI_NO_RELAUNCH: 'true',
  // Nobody is there to say whether the workspace is to be trusted.
  GEMINI_CLI_TRUST_WORKSPACE: 'true',
});

function settingsOf({ gate }: LaunchOrder): object {
  return {
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 4 },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
    context: { fileName: ['AGENTS.md'] },
    tools: {
      sandbox: false,
      // Of a command in a terminal it tells no output.
      shell: { enableInteractiveShell: false, showColor: false },
      // They are run by the endpoint or by the CLI itself, past everything that limits commands.
      ...(gate && { exclude: ['web_fetch', 'google_web_search'] }),
    },
  };
}
