/** The checks of `doctor`. Each reports what it found and what to do; none of them changes a worker. */

import { resolveApiToken } from '../../config/api-token.ts';
import type { Settings } from '../../config/settings.ts';
import { isLoopback } from '../../http/access/hosts.ts';
import { errorMessage, getCapabilities, owns, type RuntimeName, versionAdvice } from '../../model/index.ts';
import { foreignBodies } from '../../runtimes/ownership.ts';
import type { Runtimes } from '../../runtimes/registry.ts';
import type { RuntimeInfo } from '../../runtimes/runtime.ts';
import { redactUrl } from '../../telemetry/redact.ts';
import type { Context } from '../context.ts';
import type { Session } from '../session.ts';
import { bad, type DoctorCheck, withAdvice } from './doctor-check.ts';
import { healthChecks } from './health-checks.ts';
import { parseInfo, redisSettings } from './redis-checks.ts';
import { probeRedisAt } from './redis-port.ts';
import { refusalChecks, storeChecks } from './store-checks.ts';

/** Yields all checks as soon as their results are known; checks that depend on a missing component are skipped. */
export async function* runChecks(context: Context): AsyncGenerator<DoctorCheck> {
  const { deps } = context;
  yield withAdvice({ name: 'Node', found: process.version }, versionAdvice('Node', process.version));
  let settings: Settings;
  try {
    settings = await deps.settings();
  } catch (error) {
    yield bad('Settings', errorMessage(error), '`wm config` shows the allowed values.');
    return;
  }
  const explained = await deps.explainSettings();
  const changed = explained.filter(({ source }) => source === 'environment');
  yield {
    name: 'Settings',
    state: 'ok',
    found: `cell ${settings.cell}; from the environment: ${changed.map(({ name }) => name).join(', ') || 'none'}`,
  };
  for (const { name, found, advice } of await deps.settingProblems())
    yield { name: `Setting ${name}`, state: 'hint', found, advice };
  yield* tokenChecks(settings);
  const { redisFrom } = await deps.context();
  const isSet = redisFrom === 'file' || changed.some(({ name }) => name === 'REDIS_URL');
  const responds = yield* redisChecks(context, isSet ? undefined : settings.cell);
  yield* runtimeChecks(context, settings, responds);
}

/** Whether `wm serve` would start with these settings; other verbs do not need them. */
function* tokenChecks(settings: Settings): Generator<DoctorCheck> {
  try {
    resolveApiToken(settings, () => '');
  } catch (error) {
    const advice = '`wm serve` refuses to start with these settings.';
    yield { name: 'Token of the API', state: 'hint', found: errorMessage(error), advice };
  }
}

/** Returns whether Redis answers. Without a manager and REDIS_URL, `newCell` is the cell that has none yet. */
async function* redisChecks(
  context: Context,
  newCell: string | undefined,
): AsyncGenerator<DoctorCheck, boolean> {
  let session: Session;
  try {
    session = await context.session();
  } catch (error) {
    yield newCell === undefined
      ? { name: 'Redis', state: 'bad', found: errorMessage(error) }
      : {
          name: 'Redis',
          state: 'hint',
          found: `REDIS_URL is not set, and no manager of the cell ${newCell} has run here yet`,
          advice: 'Start a manager with `wm serve`, which also starts a private Redis, or set REDIS_URL.',
        };
    return false;
  }
  try {
    yield* redisSettings(parseInfo(await session.redis.info()), redactUrl(session.settings.redisUrl));
  } catch (error) {
    yield {
      name: 'Redis',
      state: 'hint',
      found: `it responds, but INFO failed: ${errorMessage(error)}`,
    };
  }
  yield* refusalChecks(session);
  yield* storeChecks(session, context.now());
  const leader = await session.leader();
  const identity = await session.store.identity();
  yield leader
    ? { name: 'Manager', state: 'ok', found: `${leader.owner} leads, epoch ${leader.epoch}` }
    : {
        name: 'Manager',
        state: 'hint',
        found: `no manager leads the cell ${session.settings.cell}${identity ? '' : ', and none has used this Redis yet'}`,
        advice: 'Start one with `wm serve`; commands are kept until then.',
      };
  if (leader) yield* healthChecks(session.settings);
  return true;
}

/** Bodies of this cell that belong to another store. */
async function* foreignChecks(context: Context, runtimes: Runtimes): AsyncGenerator<DoctorCheck> {
  try {
    const identity = await (await context.session()).store.identity();
    const answering = runtimes.states.filter(({ info }) => info);
    const lists = await Promise.all(answering.map(({ name }) => runtimes.get(name).list()));
    const foreign = identity ? lists.flat().filter((body) => !owns(identity, body)) : [];
    const found = foreignBodies(foreign, identity);
    if (found !== undefined) yield { name: 'Bodies of another store', state: 'hint', found };
  } catch (error) {
    yield { name: 'Bodies', state: 'hint', found: `cannot be listed: ${errorMessage(error)}` };
  }
}

async function* runtimeChecks(
  context: Context,
  settings: Settings,
  redisResponds: boolean,
): AsyncGenerator<DoctorCheck> {
  const { deps } = context;
  let runtimes: Runtimes;
  try {
    runtimes = await context.runtimes();
  } catch (error) {
    yield bad('Runtimes', errorMessage(error), 'Set RUNTIME and DOCKER_HOST.');
    return;
  }
  await runtimes.probe();
  const answering = runtimes.states.filter(({ info }) => info).length;
  for (const { name, info, error } of runtimes.states) {
    if (info) {
      const limits = Object.entries(info.limits);
      const missing = limits.filter(([, { supported }]) => !supported);
      yield withAdvice({ name: `Runtime ${name}`, found: info.version }, info.advice);
      if (info.user) yield userCheck(info.user);
      yield {
        name: `Limits of ${name}`,
        state: missing.length > 0 ? 'hint' : 'ok',
        found: limits.map(([limit, { supported }]) => `${limit} ${supported ? 'yes' : 'no'}`).join(', '),
        ...(missing.length > 0 && {
          advice: missing.map(([limit, { how }]) => `${limit}: ${how}`).join('; '),
        }),
      };
    } else {
      yield {
        name: `Runtime ${name}`,
        state: answering > 0 ? 'hint' : 'bad',
        found: error ?? 'does not answer',
        advice: getRuntimeAdvice(name, answering > 0),
      };
    }
    const { needsWrapperBundle, usesImages } = getCapabilities(name);
    if (needsWrapperBundle) yield wrapperCheck(deps.wrapperIsBuilt());
    if (usesImages && info) yield* imageChecks(context, settings, name, redisResponds);
  }
  if (redisResponds) yield* foreignChecks(context, runtimes);
}

async function* imageChecks(
  { deps }: Context,
  settings: Settings,
  runtime: RuntimeName,
  redisResponds: boolean,
): AsyncGenerator<DoctorCheck> {
  try {
    const components = await deps.components(settings);
    const { name, present } = await components.bodyImage();
    yield present
      ? { name: 'Worker image', state: 'ok', found: name }
      : bad(
          'Worker image',
          `${name} does not exist`,
          'A manager pulls it. Without a registry, build an equivalent with `npm run build:image`, or set WORKER_BASE_IMAGE.',
        );
    if (!redisResponds) return;
    const url = new URL(await components.runtimes().bodyRedisUrl(runtime));
    const port = Number(url.port || 6379);
    const where = `${url.hostname}:${port}`;
    // It answers this machine, and not a container.
    if (isLoopback(url.hostname)) {
      yield bad(
        'Redis for containers',
        `${where} is the container itself`,
        'Set WORKER_REDIS_URL to an address of this machine that containers reach, such as that of the bridge docker0.',
      );
      return;
    }
    const refused = await probeRedisAt({ host: url.hostname, port, tls: url.protocol === 'rediss:' });
    yield refused === undefined
      ? { name: 'Redis for containers', state: 'ok', found: `${where} answers` }
      : bad(
          'Redis for containers',
          `${where} ${refused}`,
          `Containers connect to Redis at that address. Make Redis listen on it (bind 127.0.0.1 ${url.hostname}, protected-mode no or a password), or set WORKER_REDIS_URL.`,
        );
  } catch (error) {
    yield bad('Worker image', errorMessage(error), 'Run it again; the engine responded a moment ago.');
  }
}

/** A direct worker with the manager's user can read everything that the manager can; as root, the whole machine. */
function userCheck({ name, own, why }: NonNullable<RuntimeInfo['user']>): DoctorCheck {
  const check = 'User of direct workers';
  if (own) return { name: check, state: 'ok', found: name };
  return {
    name: check,
    state: 'hint',
    found: `${name}, as the manager (${why})`,
    advice:
      name === 'root'
        ? 'Create a user (useradd --system worker-agent) and set PROCESS_USER=worker-agent, or use Docker.'
        : 'A direct worker can do everything that this user can; use Docker for untrusted agents.',
  };
}

const wrapperCheck = (built: boolean): DoctorCheck =>
  built
    ? { name: 'Wrapper', state: 'ok', found: 'built' }
    : bad('Wrapper', 'dist/wrapper.mjs is not built', 'Build it with `npm run build`.');

function getRuntimeAdvice(name: RuntimeName, another: boolean): string {
  const { remedy } = getCapabilities(name);
  return another ? `${remedy}; until then, another runtime is used if RUNTIME is auto.` : `${remedy}.`;
}
