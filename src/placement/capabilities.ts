/** Requests that are valid but not supported here are refused before anything is created, and never ignored. */
import { getAgentKind } from '../agents/index.ts';
import { type CommandOf, Fault, getCapabilities, type Issue, type RuntimeName } from '../model/index.ts';
import { explainPrivateHost } from '../webhooks/index.ts';
import type { Capabilities } from './context.ts';

type WorkerRequest = Omit<CommandOf<'create'>, 'command' | 'request_id' | 'runtime'>;

/** Throws a Fault that names each field that the runtime does not support, and why. */
export async function rejectUnsupported(
  request: WorkerRequest,
  runtime: RuntimeName,
  abilities: Capabilities,
): Promise<void> {
  const { usesImages } = getCapabilities(runtime);
  rejectIfAny('invalid_command', 'Commands must not contain credentials', exposed(request));
  rejectIfAny('unsupported', 'This is not supported here', [
    ...moduleIssues(request, runtime, abilities),
    ...lockIssues(request, runtime, abilities),
    ...(request.image !== undefined && !usesImages
      ? [{ path: 'image', message: `requires Docker; the ${runtime} runtime uses no images` }]
      : []),
  ]);
  rejectIfAny('unsupported', 'A webhook is not allowed', privateWebhooks(request, abilities));
  rejectIfAny('unsupported', 'A secret is missing', await secretIssues(request, abilities));
  rejectIfAny('unsupported', 'A handler file is missing', await handlerIssues(request, abilities));
  const full = usesImages ? await abilities.diskSpaceError() : undefined;
  if (full) throw new Fault('capacity', full);
}

/** A warning about something that is accepted but weaker than it appears. */
export function getWarnings(request: WorkerRequest, runtime: RuntimeName): string[] {
  const advice = request.allowed_commands !== undefined && !getCapabilities(runtime).enforcesCommands;
  return [
    ...(advice ? [`allowed_commands is only advisory here: the ${runtime} runtime cannot enforce it.`] : []),
    ...withoutCredential(request),
    ...withoutTurns(request),
  ];
}

/** An agent without a credential is ready but fails its first prompt; a custom address may not need one. */
function withoutCredential({ agent_type, env, secrets = [] }: WorkerRequest): string[] {
  const { credentials, model } = getAgentKind(agent_type);
  const own = model !== undefined && env?.[model.variable] !== undefined;
  if (credentials.length === 0 || own || credentials.some(({ secret }) => secrets.includes(secret)))
    return [];
  const names = credentials.map(({ secret }) => secret).join(' or ');
  const address = model ? `, or set ${model.variable} in env to an endpoint that needs no key` : '';
  return [
    `This ${agent_type} agent has no credential, so its first prompt will fail: put ${names} into SECRETS_DIR and add its name to secrets${address}.`,
  ];
}

/** Whether an agent ends a turn is unknown if it only reads and writes lines. */
function withoutTurns({ agent_type, protocol = 'lines', checkpoint }: WorkerRequest): string[] {
  const isPlain = agent_type === 'TASK' || (agent_type === 'CUSTOM' && protocol === 'lines');
  if (!isPlain || !checkpoint?.on.includes('turn')) return [];
  return ['checkpoint.on has turn, but this agent has no turns; use interval, or the protocol json or acp.'];
}

/** The names of an agent's own credentials in `env`, where they would be stored in Redis and in labels. */
function exposed({ agent_type, env }: WorkerRequest): Issue[] {
  return getAgentKind(agent_type)
    .credentials.filter(({ secret }) => env?.[secret] !== undefined)
    .map(({ secret }) => ({
      path: `env.${secret}`,
      message: `would be stored in Redis; put it into the file ${secret} of SECRETS_DIR, and add that name to secrets`,
    }));
}

/** Secrets of the worker and of its webhooks that are missing in the operator's directory. */
async function secretIssues(
  { secrets = [], webhooks = [] }: WorkerRequest,
  { missingSecrets }: Pick<Capabilities, 'missingSecrets'>,
): Promise<Issue[]> {
  const named = [
    ...secrets.map((name, at) => ({ name, path: `secrets.${at}` })),
    ...webhooks.map(({ secret: name }, at) => ({ name, path: `webhooks.${at}.secret` })),
  ];
  const missing = named.length > 0 ? await missingSecrets(named.map(({ name }) => name)) : [];
  return named
    .filter(({ name }) => missing.includes(name))
    .map(({ name, path }) => ({
      path,
      message: `the operator's directory of secrets (SECRETS_DIR) has no "${name}"`,
    }));
}

/** Names are resolved, and checked again, when a message is sent. */
function privateWebhooks({ webhooks = [] }: WorkerRequest, abilities: Capabilities): Issue[] {
  if (abilities.allowPrivateWebhooks) return [];
  return webhooks.flatMap(({ url }, at) => {
    const why = explainPrivateHost(url);
    return why === undefined ? [] : [{ path: `webhooks.${at}.url`, message: why }];
  });
}

/** Handler files that are missing in the operator's directory. */
export async function handlerIssues(
  { handlers = [] }: { handlers?: string[] | undefined },
  { missingHandlers }: Pick<Capabilities, 'missingHandlers'>,
): Promise<Issue[]> {
  const missing = handlers.length > 0 ? await missingHandlers(handlers) : [];
  return missing.map((name) => ({
    path: `handlers.${handlers.indexOf(name)}`,
    message: `the operator's directory of handlers (HANDLERS_DIR) has no "${name}"`,
  }));
}

/** Fields whose content becomes part of an image that is built. */
export const IN_IMAGES = ['modules', 'requirements', 'packages'] as const;

function moduleIssues(request: WorkerRequest, runtime: RuntimeName, abilities: Capabilities): Issue[] {
  const { modules, allowed_commands } = request;
  const built = IN_IMAGES.filter((field) => request[field]?.length);
  const whyNot = !getCapabilities(runtime).usesImages
    ? `are installed in images; the ${runtime} runtime uses no images`
    : abilities.foreignImage && `cannot be added to ${abilities.foreignImage}, which WORKER_IMAGE names`;
  if (whyNot) return built.map((path) => ({ path, message: whyNot }));
  const issue = (message: string) => [{ path: 'modules', message }];
  if (!modules?.includes('DOCKER')) return [];
  if (!abilities.allowPrivileged)
    return issue(
      'with DOCKER requires ALLOW_PRIVILEGED=true, set by the operator: its daemon weakens the isolation',
    );
  return allowed_commands
    ? issue('with DOCKER cannot be combined with allowed_commands: its containers run any command')
    : [];
}

function lockIssues(
  { allowed_commands }: WorkerRequest,
  runtime: RuntimeName,
  { foreignImage }: Capabilities,
): Issue[] {
  if (allowed_commands === undefined || !getCapabilities(runtime).usesImages || !foreignImage) return [];
  const message = `cannot be enforced in ${foreignImage}, which WORKER_IMAGE names`;
  return [{ path: 'allowed_commands', message }];
}

function rejectIfAny(code: 'invalid_command' | 'unsupported', what: string, issues: Issue[]): void {
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new Fault(code, `${what}: ${list}.`, { issues });
}
