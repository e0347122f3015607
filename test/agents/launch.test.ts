import { describe, expect, it } from 'vitest';
import { getAgentKind, getAgentKindForSpec, resolveEndpoint } from '../../src/agents/index.ts';
import { buildInstructions } from '../../src/agents/instructions.ts';
import type { LaunchOptions } from '../../src/agents/kind.ts';
import { type AgentType, type WorkerSpec, workerSpec } from '../../src/model/worker/spec.ts';

const order = (agent_type: AgentType, spec: Partial<WorkerSpec> = {}, more: Partial<LaunchOptions> = {}) => ({
  spec: workerSpec.parse({ agent_type, runtime: 'docker', ...spec }),
  workspace: '/workspace',
  home: '/home/agent',
  modelProxyUrl: 'http://127.0.0.1:1234',
  secrets: ['ANTHROPIC_API_KEY'],
  session: undefined,
  root: false,
  policyCommand: undefined,
  ...more,
});
const launch = (...given: Parameters<typeof order>) => getAgentKind(given[0]).launch(order(...given));
const settings = (files: Record<string, string>) => JSON.parse(Object.values(files)[0] ?? '{}');

describe('Claude Code', () => {
  it('uses the model proxy with a placeholder key', () => {
    const { env } = launch('CLAUDE');
    expect(env).toMatchObject({
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:1234',
      ANTHROPIC_API_KEY: 'the-gateway-has-it',
    });
    expect(env).not.toHaveProperty('CLAUDE_CODE_OAUTH_TOKEN');
  });

  it('gets a placeholder for the kind of credential that was delivered', () => {
    const { env } = launch('CLAUDE', {}, { secrets: ['CLAUDE_CODE_OAUTH_TOKEN'] });
    expect(env).toMatchObject({ CLAUDE_CODE_OAUTH_TOKEN: 'the-gateway-has-it' });
    expect(env).not.toHaveProperty('ANTHROPIC_API_KEY');
  });

  it('asks for no permission if everything is allowed, even as root', () => {
    expect(launch('CLAUDE').argv).toContain('--dangerously-skip-permissions');
    expect(launch('CLAUDE').env).not.toHaveProperty('IS_SANDBOX');
    expect(launch('CLAUDE', {}, { root: true }).env).toMatchObject({ IS_SANDBOX: '1' });
  });

  it('has the tools of the manager if its worker has a token and knows the address', () => {
    const secrets = ['ANTHROPIC_API_KEY', 'WM_TOKEN'];
    const spec = { env: { WM_URL: 'http://manager:8080/' } };
    const { argv, files } = launch('CLAUDE', spec, { secrets });
    expect(argv.join(' ')).toContain('--mcp-config /home/agent/.claude/worker-tools.json');
    const { workers } = settings(files).mcpServers;
    expect(workers).toMatchObject({ type: 'http', url: 'http://manager:8080/mcp' });
    const locked = launch('CLAUDE', spec, { secrets, policyCommand: ['/worker/gate'] });
    expect(locked.files['.claude/worker.json']).toContain('mcp__workers');
    for (const [other, names] of [
      [spec, ['ANTHROPIC_API_KEY']],
      [{}, secrets],
    ] as const)
      expect(launch('CLAUDE', other, { secrets: [...names] }).argv).not.toContain('--mcp-config');
  });

  it('calls the command policy if commands are limited, and denies the rest', () => {
    const limited = { policyCommand: ['/worker/gate', "it's"] };
    const { argv, files } = launch('CLAUDE', { allowed_commands: ['git'] }, limited);
    expect(argv).not.toContain('--dangerously-skip-permissions');
    expect(argv.join(' ')).toContain('--permission-mode dontAsk --settings /home/agent/.claude/worker.json');
    const { permissions, hooks } = settings(files);
    expect(permissions.deny).toEqual(['WebFetch', 'WebSearch']);
    expect(permissions.allow).toEqual(expect.arrayContaining(['Bash(git)', 'Bash(git *)']));
    expect(hooks.PreToolUse[0].hooks[0].command).toBe(`/worker/gate 'it'\\''s'`);
  });

  it('lets the user set its variables, but not the address of the model', () => {
    const env = { CLAUDE_CODE_MAX_RETRIES: '9', ANTHROPIC_BASE_URL: 'http://elsewhere' };
    const launched = launch('CLAUDE', { env }).env;
    expect(launched).not.toHaveProperty('CLAUDE_CODE_MAX_RETRIES');
    expect(launched).toMatchObject({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:1234' });
  });

  it('continues a conversation', () => {
    expect(launch('CLAUDE', {}, { session: 'abc' }).argv.slice(-2)).toEqual(['--resume', 'abc']);
  });
});

describe('Droid', () => {
  it('sends requests only to the user’s model if there is a key for it', () => {
    const { env, files } = launch('FACTORY', { env: { ANTHROPIC_MODEL: 'claude-x' } });
    expect(env).toMatchObject({ FACTORY_AIRGAP_ENABLED: 'true' });
    const { customModels, sessionDefaultSettings } = settings(files);
    expect(customModels).toMatchObject([{ baseUrl: 'http://127.0.0.1:1234', model: 'claude-x' }]);
    expect(sessionDefaultSettings.model).toBe('custom:Worker-0');
  });

  it("uses Factory's endpoint if there is only a key for that", () => {
    const { env, files } = launch('FACTORY', {}, { secrets: ['FACTORY_API_KEY'] });
    expect(env).toMatchObject({
      FACTORY_API_BASE_URL: 'http://127.0.0.1:1234',
      FACTORY_API_KEY: 'the-gateway-has-it',
    });
    expect(env).not.toHaveProperty('FACTORY_AIRGAP_ENABLED');
    expect(settings(files)).not.toHaveProperty('customModels');
  });

  it('calls the command policy if commands are limited, and never fetches', () => {
    const { hooks } = settings(
      launch('FACTORY', { allowed_commands: [] }, { policyCommand: ['/worker/gate'] }).files,
    );
    expect(hooks.PreToolUse.map(({ matcher }: { matcher: string }) => matcher)).toEqual([
      'Execute',
      'FetchUrl|WebSearch',
    ]);
  });
});

describe('Codex', () => {
  const config = (...order: Parameters<typeof launch>) => launch(...order).files['.codex/config.toml'] ?? '';

  it('calls the configured model through the model proxy', () => {
    const text = config('CODEX', { env: { CODEX_MODEL: 'gpt-"x"' } });
    expect(text).toContain('model = "gpt-\\"x\\""\n');
    expect(text).toContain('base_url = "http://127.0.0.1:1234"\n');
    expect(text).not.toContain('hooks');
  });

  it('calls the command policy if commands are limited, and never searches the web', () => {
    const text = config('CODEX', { allowed_commands: [] }, { policyCommand: ['/worker/gate', "it's"] });
    expect(text).toContain(`command = "/worker/gate 'it'\\\\''s'"\n`);
    expect(text).toContain('web_search = "disabled"\n');
  });
});

describe('the endpoint', () => {
  it.each([
    ['CLAUDE', {}, [], 'https://api.anthropic.com', []],
    ['CLAUDE', { ANTHROPIC_BASE_URL: 'http://m' }, ['ANTHROPIC_API_KEY'], 'http://m', ['ANTHROPIC_API_KEY']],
    [
      'CLAUDE',
      {},
      ['CLAUDE_CODE_OAUTH_TOKEN', 'OTHER'],
      'https://api.anthropic.com',
      ['CLAUDE_CODE_OAUTH_TOKEN'],
    ],
    ['FACTORY', {}, ['FACTORY_API_KEY'], 'https://api.factory.ai', ['FACTORY_API_KEY']],
    [
      'FACTORY',
      {},
      ['FACTORY_API_KEY', 'ANTHROPIC_API_KEY'],
      'https://api.anthropic.com',
      ['ANTHROPIC_API_KEY'],
    ],
    ['FACTORY', { ANTHROPIC_BASE_URL: 'http://m' }, ['FACTORY_API_KEY'], 'http://m', []],
    ['CODEX', {}, ['OPENAI_API_KEY'], 'https://api.openai.com/v1', ['OPENAI_API_KEY']],
    ['CODEX', { OPENAI_BASE_URL: 'http://m' }, [], 'http://m', []],
    ['CUSTOM', { ANTHROPIC_BASE_URL: 'http://m' }, ['ANTHROPIC_API_KEY'], undefined, []],
  ] as const)('of %s with %j and %j is %s', (type, env, secrets, url, used) => {
    const { credentials, ...rest } = resolveEndpoint(getAgentKind(type), env, secrets);
    expect(rest.url).toBe(url);
    expect(credentials.map(({ secret }) => secret)).toEqual(used);
  });
});

describe('a custom command', () => {
  it('uses the configured protocol', () => {
    const kind = (protocol?: 'lines' | 'json' | 'acp') =>
      getAgentKindForSpec({ agent_type: 'CUSTOM', ...(protocol && { protocol }) });
    expect(kind().turnless).toBe(true);
    expect(kind('json').turnless).toBeUndefined();
    expect(kind('acp').acp).toBe(true);
  });

  it('is started unchanged', () => {
    expect(launch('CUSTOM', { command_line: ['my', 'agent'] })).toEqual({
      argv: ['my', 'agent'],
      env: {},
      files: {},
    });
  });
});

describe('instructions', () => {
  it('are absent if there are none', () => {
    expect(buildInstructions({})).toBeUndefined();
    expect(buildInstructions({ instructions: '' })).toBeUndefined();
  });

  it('contain the given text, followed by the rule about commands', () => {
    expect(buildInstructions({ instructions: 'Be brief.\n\n' })).toBe('Be brief.\n');
    const text = buildInstructions({ instructions: 'Be brief.', allowed_commands: ['npm', 'git', 'git'] });
    expect(text).toMatch(/^Be brief\.\n\n# Commands you may execute\n/);
    expect(text).toContain('execute only these programs: `git`, `npm`.');
  });

  it('state that no command is allowed', () => {
    expect(buildInstructions({ allowed_commands: [] })).toContain('You may not execute any program');
  });
});
