/** The checks of `doctor` that need only the answer of Redis to INFO. Pure. */
import { versionAdvice } from '../../model/index.ts';
import { bad, type DoctorCheck, withAdvice } from './doctor-check.ts';

/** Redis 6.2 introduced XAUTOCLAIM. */
const OLDEST_REDIS = [6, 2] as const;

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
