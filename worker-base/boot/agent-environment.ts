/**
 * Prepares an agent before its start, in this order: its secrets, the gateway to its model, its privileges,
 * its home and its instructions.
 *
 * Invariants: a credential goes to the gateway only; no file is written where the agent could write before,
 * because it could have created a link there. The gateway and the pipe are loaded only if they are needed.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getAgentKindForSpec, resolveEndpoint } from '../../src/agents/index.ts';
import { buildInstructions } from '../../src/agents/instructions.ts';
import type { AgentKind, Launch, LaunchOptions } from '../../src/agents/kind.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Door } from '../door/door.ts';
import type { Log } from '../log.ts';
import type { ModelProxy } from '../model-proxy/proxy.ts';
import type { Denials } from '../sandbox/denials.ts';
import { createPrivileges, type Privileges } from '../sandbox/privileges.ts';
import type { WrapperSettings } from '../settings.ts';
import type { HeartbeatSender } from '../streams/heartbeat.ts';
import { type AgentEnvironment, CannotStart, type Resumed } from '../workload.ts';
import { hasFirstFiles } from './first-files.ts';
import { prepareWorkspace } from './initial-state.ts';

/**
 * The socket of the module DOCKER's daemon, below the agent's home: for clients that do not support contexts.
 */
const DOCKER_SOCKET = '.docker/run/docker.sock';
/** The secret that authenticates git to the source of a workspace. */
const GIT_CREDENTIAL = 'GIT_TOKEN';
/** The agent's home in the images. */
const HOME = '/home/agent';
/** A model that sends no byte for this long has failed; both CLIs would wait for it forever. */
const STALL_MS = 120_000;
/** A workspace of 100,000 files takes about 0.3 s; a larger one must not delay the start. */
const EXAMINE_MS = 2000;

/** Prepares the agent; throws `CannotStart`. Returns undefined if `signal` ends the wait for secrets. */
export async function prepareAgent(options: {
  settings: WrapperSettings;
  spec: WorkerSpec;
  denials: Denials;
  heartbeat: HeartbeatSender;
  log: Log;
  signal: AbortSignal;
  /** An earlier body of the worker has run. */
  successor: boolean;
  /** Through which a checkpoint arrives. */
  door: Door | undefined;
}): Promise<AgentEnvironment | undefined> {
  const { settings, spec, denials, log } = options;
  const { workspace } = settings;
  const kind = getAgentKindForSpec(spec);
  const privileges = attempt('The rights of the agent could not be set up', () =>
    createPrivileges(settings, spec),
  );
  const secrets = spec.secrets?.length ? await receive(options, kind, privileges) : new Map<string, string>();
  if (!secrets) return undefined;
  const home = resolveHome(settings, kind, privileges);
  const { url, credentials } = resolveEndpoint(kind, spec.env, [...secrets.keys()]);
  const gated = kind.cli !== undefined && spec.allowed_commands !== undefined;
  let modelProxy: ModelProxy | undefined;
  if (url !== undefined || gated) {
    const { startModelProxy } = await import('../model-proxy/proxy.ts');
    modelProxy = await startModelProxy({
      upstream: url,
      credentials: credentials.map(({ secret, ...header }) => ({
        ...header,
        value: secrets.get(secret) ?? '',
      })),
      evaluate: gated ? (request) => denials.evaluate(request) : undefined,
      stallMs: STALL_MS,
      env: process.env,
      log,
    }).catch((error: Error) => {
      throw new CannotStart(78, `The proxy to the model could not be started: ${error.message}.`);
    });
  }
  const launch = (session: string | undefined): Launch =>
    kind.launch({
      spec,
      workspace,
      home: home ?? '',
      modelProxyUrl: modelProxy?.url ?? '',
      secrets: [...secrets.keys()],
      session,
      root: privileges.group === undefined && process.getuid?.() === 0,
      policyCommand: gated ? modelProxy?.policyCommand : undefined,
    } satisfies LaunchOptions);
  let startCommit: string | undefined;
  if (hasFirstFiles(spec)) {
    const { fetchFirstFiles } = await import('./first-files.ts');
    const fetched = await fetchFirstFiles({
      ...options,
      credential: secrets.get(GIT_CREDENTIAL),
      privileges,
    });
    if (!fetched) return undefined;
    startCommit = fetched.commit;
  }
  // Before anything is written to it.
  const resumed = options.successor ? await examineWorkspace(workspace, spec, privileges) : undefined;
  attempt('The workspace could not be prepared', () => prepareWorkspace(workspace, buildInstructions(spec)));
  attempt('The home of the agent could not be prepared', () =>
    writeHomeFiles(home, launch(undefined).files, privileges.group !== undefined),
  );
  return {
    kind,
    privileges,
    home,
    modelProxy,
    resumed,
    startCommit,
    touch: () => options.heartbeat.touch(),
    processOptions: (session) => {
      const { argv, env } = launch(session);
      const own: Record<string, string> = {
        ...settings.inherited,
        ...(home !== undefined && { HOME: home }),
        ...(settings.secretsPipe &&
          spec.secrets?.length && { SECRETS_PATH: secretsPath(settings.secretsPipe) }),
      };
      if (spec.modules?.includes('DOCKER') && home !== undefined)
        own.DOCKER_HOST = `unix://${home}/${DOCKER_SOCKET}`;
      // The agent kind's variables come last: they respect the user's, and their addresses use the gateway.
      return {
        // Searches for the agent's program, which commands of clients do not need.
        get argv() {
          return privileges.run(argv);
        },
        cwd: workspace,
        env: { ...own, ...spec.env, ...env },
        killRest: (group) =>
          privileges.killAll(group).catch((error: Error) => {
            log.error('processes of the agent survived its end', { error: error.message });
          }),
      };
    },
  };
}

/** What is left of the workspace of earlier bodies. */
async function examineWorkspace(
  workspace: string,
  spec: WorkerSpec,
  privileges: Privileges,
): Promise<Resumed> {
  const persistent = spec.workspace?.persist !== 'body';
  if (!persistent || !existsSync(workspace)) return { persistent, workspace, written_at: undefined };
  const { MEASURE, measureWorkspace } = await import('../files/measure-workspace.ts');
  const size = await measureWorkspace(privileges.helperCommand(MEASURE), workspace, EXAMINE_MS);
  const at = size?.written_at;
  return { persistent, workspace, written_at: at === undefined ? undefined : new Date(at).toISOString() };
}

const secretsPath = (pipe: string) => join(dirname(pipe), 'secrets');

/** Waits for the secrets, and writes those that are not the agent's own credentials to files. */
async function receive(
  { settings, spec, heartbeat, log, signal }: Parameters<typeof prepareAgent>[0],
  kind: AgentKind,
  privileges: Privileges,
): Promise<Map<string, string> | undefined> {
  const { secretsPipe: pipe } = settings;
  if (!pipe)
    throw new CannotStart(78, 'SECRETS_PIPE is not set; the manager sets it if a worker has secrets.');
  const { placeSecrets, receiveSecrets } = await import('./secrets.ts');
  const waiting = receiveSecrets({ pipe, signal });
  heartbeat.request('needs_secrets', true);
  try {
    const secrets = await waiting;
    if (!secrets) return undefined;
    const missing = spec.secrets?.filter((name) => !secrets.has(name)) ?? [];
    if (missing.length > 0) throw new CannotStart(78, `Secrets were not delivered: ${missing.join(', ')}.`);
    const credentials = kind.credentials.map(({ secret }) => secret);
    if (spec.workspace?.source?.git) credentials.push(GIT_CREDENTIAL);
    const others = [...secrets].filter(([name]) => !credentials.includes(name));
    await placeSecrets(new Map(others), secretsPath(pipe), privileges.group);
    log.info('secrets received', { count: secrets.size });
    return secrets;
  } catch (error) {
    if (error instanceof CannotStart) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CannotStart(78, `The secrets could not be received: ${message}.`);
  } finally {
    heartbeat.request('needs_secrets', false);
  }
}

/** The image's home, or one of the body's own, so that a CLI's files in the user's home are never changed. */
function resolveHome(settings: WrapperSettings, kind: AgentKind, privileges: Privileges): string | undefined {
  if (privileges.group !== undefined && existsSync(HOME)) return HOME;
  // A user's own command that only reads and writes lines keeps its usual home.
  return kind.turnless ? undefined : settings.agentHome;
}

/** Creates the home with its files; the agent may change them and add others. */
function writeHomeFiles(home: string | undefined, files: Record<string, string>, shared: boolean): void {
  if (home === undefined) return;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    const parts = dirname(name)
      .split('/')
      .filter((part) => part !== '.');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const folder = join(home, ...parts.slice(0, depth));
      if (existsSync(folder)) continue;
      mkdirSync(folder, { mode: 0o700 });
      if (shared) chmodSync(folder, 0o777);
    }
    const path = join(home, name);
    writeFileSync(path, content, { mode: 0o600 });
    if (shared) chmodSync(path, 0o666);
  }
}

function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CannotStart(126, `${what}: ${message}.`);
  }
}
