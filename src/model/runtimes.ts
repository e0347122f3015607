/** What other code asks about a runtime, by the table of their names. Pure. */
import { RUNTIMES, type RuntimeCapabilities } from './runtime-table.ts';

export type RuntimeName = keyof typeof RUNTIMES;
/** What a pool calls a runtime. */
export type RuntimeMode = (typeof RUNTIMES)[RuntimeName]['mode'];

/** In the order of preference. */
export const RUNTIME_NAMES = Object.keys(RUNTIMES) as [RuntimeName, ...RuntimeName[]];
export const RUNTIME_MODES = RUNTIME_NAMES.map((name) => RUNTIMES[name].mode);

/** What bodies of this runtime can do. */
export const getCapabilities = (name: RuntimeName): RuntimeCapabilities => RUNTIMES[name];

/** What a pool calls this runtime. */
export const toMode = (name: RuntimeName): RuntimeMode => RUNTIMES[name].mode;

/** The runtime that a pool calls so. */
export const fromMode = (mode: RuntimeMode): RuntimeName =>
  RUNTIME_NAMES.find((name) => toMode(name) === mode) ?? RUNTIME_NAMES[0];

/** The runtimes that the setting RUNTIME stands for. */
export const toRuntimeNames = (setting: RuntimeName | 'auto'): RuntimeName[] =>
  setting === 'auto' ? RUNTIME_NAMES : [setting];

/** The runtime that images are built for. */
export const IMAGE_RUNTIME =
  RUNTIME_NAMES.find((name) => getCapabilities(name).usesImages) ?? RUNTIME_NAMES[0];
