/** The checks of `doctor`. Each reports what it found and what to do; none of them changes a worker. */

import type { Settings } from '../config/settings.ts';
import { errorMessage, getCapabilities, owns, type RuntimeName, versionAdvice } from '../model/index.ts';
import { foreignBodies } from '../runtimes/ownership.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { RuntimeInfo } from '../runtimes/runtime.ts';
import { redactUrl } from '../telemetry/redact.ts';
import type { Context } from './context.ts';
import type { DoctorCheck } from './doctor-check.ts';
import { healthChecks } from './health-checks.ts';
import { probeRedisAt } from './redis-port.ts';
import type { Session } from './session.ts';
import { storeChecks } from './store-checks.ts';

/** Redis 6.2 introduced XAUTOCLAIM. */
const OLDEST_REDIS = [6, 2] as const;

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
  const changed = (await deps.explainSettings()).filter(({ source }) => source === 'environment');
  yield {
    name: 'Settings',
    state: 'ok',
    found: `cell ${settings.cell}; from the environment: ${changed.map(({ name }) => name).join(', ') || 'none'}`,
  };
  yield* redisChecks(context);
  yield* runtimeChecks(context, settings);
}

async function* redisChecks(context: Context): AsyncGenerator<DoctorCheck> {
  let session: Session;
  try {
    session = await context.session();
  } catch (error) {
    yield { name: 'Redis', state: 'bad', found: errorMessage(error) };
    return;
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

/** What Redis reports in INFO, which managed services support, unlike CONFIG. Pure. */
export function redisSettings(info: Map<string, string>, where: string): DoctorCheck[] {
  const { program, version } = parseServer(info);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor < OLDEST_REDIS[1]);
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  const bounded = info.get('maxmemory') !== '0';
  const evicts = policy !== 'noeviction';
  const found = `${program === 'Redis' ? '' : `${program} `}${version} at ${where}`;
  return [
    old
      ? bad('Redis', found, `Use ${OLDEST_REDIS.join('.')} or newer.`)
      : withAdvice({ name: 'Redis', found }, versionAdvice(program, version)),
    {
      name: 'Redis maxmemory-policy',
      state: evicts ? (bounded ? 'bad' : 'hint') : 'ok',
      found: `${policy}${bounded ? '' : ' (no maxmemory is set)'}`,
      ...(evicts && {
        advice: 'Set maxmemory-policy noeviction; otherwise Redis can evict the record of a worker.',
      }),
    },
    info.get('aof_enabled') === '1'
      ? { name: 'Redis appendonly', state: 'ok', found: 'yes' }
      : {
          name: 'Redis appendonly',
          state: 'hint',
          found: 'no',
          advice: 'Set appendonly yes; otherwise a restart of Redis loses workers and tasks.',
        },
  ];
}

/** Valkey also reports the version of Redis that it is compatible with. */
function parseServer(info: Map<string, string>): { program: 'Redis' | 'Valkey'; version: string } {
  const valkey = info.get('valkey_version');
  if (valkey !== undefined) return { program: 'Valkey', version: valkey };
  return { program: 'Redis', version: info.get('redis_version') ?? 'unknown' };
}

/** `name:value` lines. */
export function parseInfo(text: string): Map<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
}

async function* runtimeChecks(context: Context, settings: Settings): AsyncGenerator<DoctorCheck> {
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
    if (usesImages && info) yield* imageChecks(context, settings, name);
  }
  yield* foreignChecks(context, runtimes);
}

async function* imageChecks(
  { deps }: Context,
  settings: Settings,
  runtime: RuntimeName,
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
    const url = new URL(await components.runtimes().bodyRedisUrl(runtime));
    const port = Number(url.port || 6379);
    const where = `${url.hostname}:${port}`;
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

/** A check that passes, or a hint if there is advice. */
const withAdvice = (check: { name: string; found: string }, advice: string | undefined): DoctorCheck =>
  advice === undefined ? { ...check, state: 'ok' } : { ...check, state: 'hint', advice };

const bad = (name: string, found: string, advice: string): DoctorCheck => ({
  name,
  state: 'bad',
  found,
  advice,
});
