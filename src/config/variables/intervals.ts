/** What the manager logs, how often it looks, and how long it waits. */
import { integerOr, integerVariable, levelVariable, numberVariable } from '../variable.ts';

const DAY = 86_400;

export const INTERVALS = {
  logLevel: levelVariable(
    'LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'Minimum level of log messages.',
  ),
  resyncSeconds: numberVariable(
    'RESYNC_SECONDS',
    '30',
    [0.1, DAY],
    'seconds',
    'Interval between full lists of all workers and bodies, independent of events.',
  ),
  healthCheckSeconds: numberVariable(
    'HEALTH_CHECK_INTERVAL',
    '30',
    [0.1, DAY],
    'seconds',
    'Interval between checks of the heartbeat, CPU and memory of all running bodies.',
  ),
  leaseSeconds: numberVariable(
    'LEASE_SECONDS',
    '10',
    [1, 3600],
    'seconds',
    'Time without a renewal after which a standby takes over from the leader.',
  ),
  restartBackoffSeconds: numberVariable(
    'RESTART_BACKOFF_SECONDS',
    '1',
    [0.01, DAY],
    'seconds',
    'First delay before a worker is restarted; doubles with each failure.',
  ),
  restartBackoffMaxSeconds: numberVariable(
    'RESTART_BACKOFF_MAX_SECONDS',
    '300',
    [0.01, DAY],
    'seconds',
    'Longest delay before a restart.',
  ),
  creationGraceSeconds: numberVariable(
    'CREATION_GRACE_SECONDS',
    '60',
    [0, DAY],
    'seconds',
    'Minimum age of a body without a record before it is removed as an orphan.',
  ),
  removalBreakerShare: numberVariable(
    'REMOVAL_BREAKER_SHARE',
    '0.5',
    [0, 1],
    '',
    'Share of all bodies. A sweep that would remove more removes nothing and waits for an operator. Up to three orphans are removed whatever their share, except with 0, which removes none.',
  ),
  canarySeconds: integerOr('none', {
    name: 'CANARY_SECONDS',
    fallback: 'none',
    range: [1, DAY],
    help: 'Interval at which the leader takes a tiny worker through its whole life on each runtime, and measures each step; none turns that off.',
  }),
  concurrency: integerVariable(
    'CONCURRENCY',
    '16',
    [1, 1000],
    'Number of workers that are reconciled at the same time.',
  ),
} as const;
