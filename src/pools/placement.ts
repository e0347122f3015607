/** How many workers each runtime gets. Pure. */
import {
  type ExecutionMode,
  fromMode,
  RUNTIME_NAMES,
  type RuntimeMode,
  type RuntimeName,
  toMode,
} from '../model/index.ts';
import type { Member } from '../model/pool/pool-memo.ts';

/**
 * `want` workers in any of these runtimes; `make` is the runtime of a new one, if there is room for it now.
 */
export interface PlacementGroup {
  runtimes: readonly RuntimeName[];
  want: number;
  make: RuntimeName | undefined;
}

/** How many workers of each mode a pool has at its full size; a mode that is absent has none. */
type Mix = { [mode in RuntimeMode]?: number };

/** A mix keeps its proportion at any size; a remainder goes to the larger remaining share. */
export function toPlacementGroups(
  mode: ExecutionMode | Mix,
  size: number,
  auto: RuntimeName | undefined,
): PlacementGroup[] {
  if (mode === 'auto') return [{ runtimes: RUNTIME_NAMES, want: size, make: auto }];
  if (typeof mode === 'string') {
    const runtime = fromMode(mode);
    return [{ runtimes: [runtime], want: size, make: runtime }];
  }
  let left = size;
  let shares = Object.values(mode).reduce((sum, share) => sum + share, 0);
  return RUNTIME_NAMES.filter((name) => toMode(name) in mode).map((runtime) => {
    const share = mode[toMode(runtime)] ?? 0;
    const want = shares === 0 ? 0 : Math.round((left * share) / shares);
    left -= want;
    shares -= share;
    return { runtimes: [runtime], want, make: runtime };
  });
}

/** Runtimes that workers of a pool with this mode may live in. */
export function getRuntimes(mode: ExecutionMode | Mix): RuntimeName[] {
  if (mode === 'auto') return RUNTIME_NAMES;
  if (typeof mode === 'string') return [fromMode(mode)];
  return RUNTIME_NAMES.filter((name) => (mode[toMode(name)] ?? 0) > 0);
}

/** Members whose runtime belongs to the group. */
export const findWithin = (members: readonly Member[], { runtimes }: PlacementGroup): Member[] =>
  members.filter(({ runtime }) => runtimes.includes(runtime));
