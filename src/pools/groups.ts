/** Where workers live: how many of them in which runtime. Pure. */
import type { ExecutionMode } from '../model/index.ts';
import type { PoolRuntime } from './look.ts';

/** So many workers in any of these runtimes; `make` is where a new one goes, if there is such a place now. */
export interface Group {
  runtimes: readonly PoolRuntime[];
  want: number;
  make: PoolRuntime | undefined;
}

/** A mix keeps its proportion at any size; what does not divide goes to the larger share of what is left. */
export function groupsOf(
  mode: ExecutionMode | { docker: number; direct: number },
  size: number,
  auto: PoolRuntime | undefined,
): Group[] {
  if (mode === 'docker') return [{ runtimes: ['docker'], want: size, make: 'docker' }];
  if (mode === 'direct') return [{ runtimes: ['process'], want: size, make: 'process' }];
  if (mode === 'auto') return [{ runtimes: ['docker', 'process'], want: size, make: auto }];
  const docker = Math.round((size * mode.docker) / (mode.docker + mode.direct));
  return [
    { runtimes: ['docker'], want: docker, make: 'docker' },
    { runtimes: ['process'], want: size - docker, make: 'process' },
  ];
}
