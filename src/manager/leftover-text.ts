/** What `wm serve` prints for people about its private Redis and the workers that it leaves. Pure. */
import type { KeptEnd, RedisOfCell } from '../private-redis/index.ts';

/** How the user calls the command line for the same cell, such as `CELL='ci' wm`. */
export function toWmCommand(env: Record<string, string | undefined>): string {
  const set = ['CELL', 'WORKER_MANAGER_HOME'].flatMap((name) => (env[name] ? `${name}='${env[name]}' ` : []));
  return `${set.join('')}${env.npm_lifecycle_event ? 'npm run --silent wm --' : 'wm'}`;
}

export function formatOpenedRedis(
  { how, port, directory, joined }: Pick<RedisOfCell, 'how' | 'port' | 'directory' | 'joined'>,
  command: string,
): string {
  const whose = joined
    ? `The private Redis of this cell already runs on 127.0.0.1:${port}`
    : `A private Redis (${how}) runs on 127.0.0.1:${port}`;
  return `${whose}; its data are in ${directory}.
In another shell: \`${command} ps\`; for other programs: export REDIS_URL="$(${command} context --redis-url)"`;
}

export interface Remaining {
  /** Number of workers that keep running. */
  workers: number;
  /** Absent if REDIS_URL is set. */
  redis?: { port: number; end: KeptEnd } | undefined;
  command: string;
}

/** `undefined` if nothing keeps running. */
export function formatRemaining({ workers, redis, command }: Remaining): string | undefined {
  if (workers === 0) return undefined;
  const running = `${workers} ${workers === 1 ? 'worker keeps' : 'workers keep'} running`;
  if (redis?.end === 'shared') return `${running}; another manager of this cell is running and manages them.`;
  const serve = command.replace(/npm run --silent wm --$/, 'npm start').replace(/wm$/, 'wm serve');
  if (!redis)
    return `${running}. The next manager of this cell adopts them (\`${serve}\`); \`${command} dismantle --force\` ends and removes them.`;
  return `${running}, with the private Redis on 127.0.0.1:${redis.port}. \`${command} ps\` and \`${command} logs\` work.
\`${serve}\` starts a manager again; \`${command} dismantle --force\` ends all of it.`;
}
