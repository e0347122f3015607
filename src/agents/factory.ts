import { ANTHROPIC, ANTHROPIC_API_KEY, NO_KEY } from './credentials.ts';
import { resolveEndpoint } from './endpoint.ts';
import { openFactory } from './factory-dialogue.ts';
import type { AgentKind, LaunchOptions } from './kind.ts';
import { formatCommandLine } from './shell-word.ts';

const FACTORY_API = { variable: 'FACTORY_API_BASE_URL', url: 'https://api.factory.ai' };
/** The model of the user's own that is asked where `env` does not name one in ANTHROPIC_MODEL. */
const MODEL = 'claude-opus-5-5';

/**
 * Factory's Droid, one process for the whole conversation: `stream-jsonrpc`, which is not documented, so that the
 * version is pinned. With an Anthropic key or address it asks only that model (a custom model, in airgap
 * mode); with a Factory key alone it asks Factory's own endpoint.
 */
export const factory: AgentKind = {
  type: 'FACTORY',
  // Its shell runs under a supervisor that needs ps; its search runs rg.
  cli: { package: 'droid', version: '0.215.0', program: 'droid', debian: ['procps', 'ripgrep'] },
  credentials: [
    ANTHROPIC_API_KEY,
    { secret: 'FACTORY_API_KEY', header: 'authorization', prefix: 'Bearer ', model: FACTORY_API },
  ],
  model: ANTHROPIC,
  launch: (order) => ({
    argv: ['droid', 'exec', '--input-format', 'stream-jsonrpc', '-o', 'stream-jsonrpc'],
    env: buildEnv(order),
    files: { '.factory/settings.json': `${JSON.stringify(buildSettings(order), null, 2)}\n` },
  }),
  dialogue: openFactory,
  conversation: ['.factory/sessions'],
};

/** Whether it is to ask a model of the user's own rather than Factory's. */
const ownModel = ({ spec, secrets }: LaunchOptions) =>
  !resolveEndpoint(factory, spec.env, secrets).credentials.some(({ model }) => model === FACTORY_API);

function buildEnv(order: LaunchOptions): Record<string, string> {
  return {
    FACTORY_API_KEY: NO_KEY,
    // Otherwise it unpacks its own rg below home, where execution is denied in a locked worker.
    ...(order.spec.env?.FACTORY_RIPGREP_PATH === undefined && { FACTORY_RIPGREP_PATH: '/usr/bin/rg' }),
    ...(ownModel(order) ? { FACTORY_AIRGAP_ENABLED: 'true' } : { FACTORY_API_BASE_URL: order.modelProxyUrl }),
  };
}

function buildSettings(order: LaunchOptions): object {
  const { spec, modelProxyUrl, policyCommand } = order;
  const model = {
    model: spec.env?.ANTHROPIC_MODEL ?? MODEL,
    displayName: 'Worker',
    baseUrl: modelProxyUrl,
    apiKey: NO_KEY,
    provider: 'anthropic',
    maxOutputTokens: 32_000,
  };
  return {
    ...(ownModel(order) && { customModels: [model] }),
    // It goes by the risk that the model itself declares, so a level below high protects from nothing.
    sessionDefaultSettings: {
      ...(ownModel(order)
        ? { model: `custom:${model.displayName}-0` }
        : spec.env?.FACTORY_MODEL !== undefined && { model: spec.env.FACTORY_MODEL }),
      autonomyLevel: 'high',
      autonomyMode: 'auto-high',
    },
    ...(policyCommand && {
      commandAllowlist: spec.allowed_commands ?? [],
      hooks: {
        PreToolUse: [
          { matcher: 'Execute', hooks: [{ type: 'command', command: formatCommandLine(policyCommand) }] },
          // Run by the CLI or by the endpoint, past everything that limits commands: never, whatever the gate thinks.
          { matcher: 'FetchUrl|WebSearch', hooks: [{ type: 'command', command: DENY_HOOK }] },
        ],
      },
    }),
  };
}

const DENY_HOOK = `echo '${JSON.stringify({
  hookSpecificOutput: {
    hookEventName: 'PreToolUse',
    permissionDecision: 'deny',
    permissionDecisionReason: 'The network is not for this worker: it may run its allowed commands only.',
  },
})}'`;
