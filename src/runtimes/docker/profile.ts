import type { HostConfig } from 'dockerode';
import type { WorkerSpec } from '../../model/index.ts';
import { getModules, type HostNeeds } from '../../modules/index.ts';

/** Which rights a body has, and what of its file system can be written or executed; docs/security.md explains why. */
export type Profile = Pick<
  HostConfig,
  | 'CapAdd'
  | 'CapDrop'
  | 'Devices'
  | 'MaskedPaths'
  | 'Mounts'
  | 'ReadonlyPaths'
  | 'ReadonlyRootfs'
  | 'SecurityOpt'
  | 'Tmpfs'
>;

const WORKSPACE = '/workspace';
const NO_PROGRAMS = 'rw,noexec,nosuid,nodev';
/** The agent owns its places; the wrapper's group may write there. The users are those of the images. */
const AGENTS = `${NO_PROGRAMS},uid=10002,gid=10001,mode=2775`;
/** Only the wrapper lists or makes what is here; others may pass through to what they were given. */
const WRAPPERS = `${NO_PROGRAMS},size=16m,uid=10001,gid=10001,mode=0711`;
/** What becoming another user and ending its processes takes. The agent gets none of it. */
const TO_CONFINE = ['SETUID', 'SETGID', 'KILL'];
/**
 * As dockerd has it (oci/defaults.go), and /proc as a whole: through /proc/self/mem, a shell alone could put the code
 * of any program into itself, which no mount, rule or group forbids.
 */
const READ_ONLY_PROC = ['/proc', '/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * Commands with which one makes programs, or loads them as libraries from the workspace. Where one is allowed, a
 * workspace in which nothing can be executed would only hinder: an interpreter runs any code as it is.
 */
const MAKERS = new RegExp(
  `^(${[
    'node|npm|npx|pnpm|yarn|corepack|deno|bun|tsx|tsc',
    'python[0-9.]*|pypy[0-9.]*|pip[0-9.]*|pipx|uv|uvx|poetry|copier',
    'ruby[0-9.]*|gem|bundle|rake|perl[0-9.]*|php[0-9.]*|composer|lua[0-9.]*|tclsh|guile',
    'java|javac|mvn|gradle|gradlew|kotlin|kotlinc|scala|sbt|dotnet|mono',
    'gcc|g[+][+]|cc|c[+][+]|clang|clang[+][+]|ld|as|tcc|make|cmake|ninja|meson|bazel',
    'go|cargo|rustc|rustup|zig|ghc|cabal|stack|ocaml|dune|opam|nim|swift|crystal|erl|elixir|mix|julia|R|Rscript',
  ].join('|')})$`,
);

/** Whether programs may be executed in the workspace of a worker that may run only these. */
export function needsPrograms(allowedCommands: readonly string[]): boolean {
  return allowedCommands.some((name) => MAKERS.test(name));
}

/** Of an image that is not ours: no rights at all. */
export function foreignProfile(): Profile {
  return { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] };
}

/** Of an image of ours. Every image starts as root, with just the capabilities that it takes to become others. */
export function ownProfile(spec: WorkerSpec): Profile {
  const needs = getModules(spec.modules ?? []).flatMap(({ host }) => host ?? []);
  const locked = spec.allowed_commands === undefined ? {} : lockedPlaces(spec.allowed_commands);
  return {
    CapDrop: ['ALL'],
    CapAdd: [...new Set([...TO_CONFINE, ...needs.flatMap(({ capAdd }) => capAdd)])],
    SecurityOpt: ['no-new-privileges'],
    ...locked,
    ...(needs.length > 0 ? loosened(needs) : {}),
    Tmpfs: { ...locked.Tmpfs, '/run/worker': WRAPPERS },
  };
}

/** Nothing that can be written can be executed. */
function lockedPlaces(allowedCommands: readonly string[]): Profile {
  const common = `${NO_PROGRAMS},mode=1777`;
  const programs = needsPrograms(allowedCommands);
  return {
    ReadonlyRootfs: true,
    ReadonlyPaths: READ_ONLY_PROC,
    Tmpfs: {
      '/tmp': common,
      '/var/tmp': common,
      '/home/agent': AGENTS,
      ...(programs ? {} : { [WORKSPACE]: AGENTS }),
    },
    // An anonymous volume takes owner and mode from the image, and goes with its container.
    ...(programs ? { Mounts: [{ Type: 'volume', Target: WORKSPACE, Source: '' }] } : {}),
  };
}

/** For modules that cannot work under the ordinary profile; the operator has allowed it (ALLOW_PRIVILEGED). */
function loosened(needs: HostNeeds[]): Profile {
  const strict = needs.every(({ newPrivileges }) => !newPrivileges);
  return {
    SecurityOpt: [
      ...(strict ? ['no-new-privileges'] : []),
      ...new Set(needs.flatMap(({ securityOpt }) => securityOpt)),
    ],
    ...(needs.some(({ systemPaths }) => systemPaths) ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    Devices: needs.flatMap(({ devices }) =>
      devices.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' })),
    ),
    Mounts: needs.flatMap(({ volumes }) =>
      volumes.map((path) => ({ Type: 'volume' as const, Target: path, Source: '' })),
    ),
  };
}
