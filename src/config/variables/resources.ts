/** What bodies may use, and how many of them there may be. */
import { integerOr, numberVariable, sizeVariable } from '../variable.ts';

export const RESOURCES = {
  defaultMemoryBytes: sizeVariable(
    'DEFAULT_MEMORY',
    '2g',
    'Memory limit of a body whose worker sets none in resources; for direct workers this requires cgroups.',
  ),
  defaultPids: integerOr('none', {
    name: 'DEFAULT_PIDS',
    fallback: '512',
    range: [8, 4_194_304],
    help: 'Limit of processes and threads of a body whose worker sets none in resources.',
  }),
  defaultOpenFiles: integerOr('none', {
    name: 'DEFAULT_OPEN_FILES',
    fallback: '4096',
    range: [64, 1_048_576],
    help: 'Limit of open files and connections for each process of a body.',
  }),
  defaultDiskBytes: sizeVariable(
    'DEFAULT_DISK',
    '10g',
    "Limit of bytes that a container may write outside of its volumes, if Docker's storage driver supports that (overlay2 on xfs with pquota, btrfs, zfs).",
  ),
  maxWorkersTotal: integerOr('none', {
    name: 'MAX_WORKERS_TOTAL',
    fallback: '10000',
    range: [1, 1_000_000],
    help: 'Limit of workers in the cell that are starting, queued or running; beyond it, create fails with capacity.',
  }),
  maxConcurrentStarts: integerOr('auto', {
    name: 'MAX_CONCURRENT_STARTS',
    fallback: 'auto',
    range: [1, 10_000],
    help: 'Limit of bodies of one runtime that boot at the same time; other workers wait with the reason Queued. auto is twice the number of cores.',
  }),
  dockerCallSeconds: numberVariable(
    'DOCKER_CALL_SECONDS',
    '30',
    [0.1, 3600],
    'seconds',
    'Timeout of a call to Docker.',
  ),
} as const;
