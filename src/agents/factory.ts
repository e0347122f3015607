import { ANTHROPIC, ANTHROPIC_API_KEY, NO_KEY } from './credentials.ts';
import { resolveEndpoint } from './endpoint.ts';
import { openFactory } from './factory-dialogue.ts';
import type { AgentKind, LaunchOptions } from './kind.ts';
import { formatCommandLine } from './shell-word.ts';

const FACTORY_API = { variable: 'FACTORY_API_BASE_URL', url: 'https://api.factory.ai' };
/** The default custom model, used if `env` does not set ANTHROPIC_MODEL. */
const MODEL = 'claude-opus-5-5';

/**
 * Factory's Droid. One process serves the whole conversation through `stream-jsonrpc`, which is undocumented,
 * so the version is pinned. With an Anthropic key or address it calls only that model (a custom model, in
 * airgap mode); with only a Factory key it calls Factory's own endpoint.
 */
export const factory: AgentKind = {
  type: 'FACTORY',
  // Its shell runs under a supervisor that needs `ps`; its search runs `rg`.
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

/** Whether to use the user's own model instead of Factory's. */
const ownModel = ({ spec, secrets }: LaunchOptions) =>
  !resolveEndpoint(factory, spec.env, secrets).credentials.some(({ model }) => model === FACTORY_API);

function buildEnv(order: LaunchOptions): Record<string, string> {
  return {
    FACTORY_API_KEY: NO_KEY,
    // Otherwise, it unpacks its own `rg` below home, where a locked worker cannot execute files.
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
    // The model itself declares the risk of a command, so a level below `high` protects nothing.
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
          // The CLI or the endpoint runs these, which bypasses the command policy, so they are always off.
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
