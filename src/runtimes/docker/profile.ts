import type { HostConfig } from 'dockerode';
import { parseMemory, persists, type WorkerSpec } from '../../model/index.ts';
import { getModules, type HostNeeds } from '../../modules/index.ts';

/**
 * A body's privileges, and which parts of its file system are writable or executable; see docs/security.md.
 */
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

/** WORKSPACE_PATH of our images. */
export const WORKSPACE = '/workspace';
const NO_PROGRAMS = 'rw,noexec,nosuid,nodev';
/** The agent owns its folders; the wrapper's group can write there. The users are those of the images. */
const AGENTS = `${NO_PROGRAMS},uid=10002,gid=10001,mode=2775`;
/** Only the wrapper can list or create entries here; others can pass through to their own. */
const WRAPPERS = `${NO_PROGRAMS},size=16m,uid=10001,gid=10001,mode=0711`;
/** Capabilities for switching to another user and ending its processes. The agent gets none of them. */
const TO_CONFINE = ['SETUID', 'SETGID', 'KILL'];
/**
 * dockerd's default (oci/defaults.go), and all of /proc: through /proc/self/mem, a shell alone could load the
 * code of any program into itself, which no mount, rule or group prevents.
 */
const READ_ONLY_PROC = ['/proc', '/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * Commands that create programs, or load them as libraries from the workspace. If one is allowed, a workspace
 * without execution would only be a hindrance, because an interpreter runs any code anyway.
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

/** Whether programs in the workspace are executable for a worker with these allowed commands. */
export function needsPrograms(allowedCommands: readonly string[]): boolean {
  return allowedCommands.some((name) => MAKERS.test(name));
}

/** For an image that is not ours: no privileges at all. */
export function foreignProfile(): Profile {
  return { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] };
}

/** Whether the workspace of this spec's bodies must not be executable. */
export const isLocked = ({ allowed_commands: allowed }: WorkerSpec): boolean =>
  allowed !== undefined && !needsPrograms(allowed);

/** For our images. They start as root, with only the capabilities for switching to other users. */
export function ownProfile(spec: WorkerSpec): Profile {
  const needs = getModules(spec.modules ?? []).flatMap(({ host }) => host ?? []);
  const locked = spec.allowed_commands === undefined ? {} : lockedPlaces(spec);
  return {
    CapDrop: ['ALL'],
    CapAdd: [...new Set([...TO_CONFINE, ...needs.flatMap(({ capAdd }) => capAdd)])],
    SecurityOpt: ['no-new-privileges'],
    ...locked,
    ...(needs.length > 0 ? loosened(needs) : {}),
    Tmpfs: { ...locked.Tmpfs, '/run/worker': WRAPPERS },
  };
}

/** A file system in memory always has a limit; without one of the spec's, the kernel's. */
function limited(options: string, { workspace }: WorkerSpec): string {
  const size = workspace?.size === undefined ? undefined : parseMemory(workspace.size);
  return size === undefined ? options : `${options},size=${size}`;
}

/** No writable path is executable; a workspace that outlives the body is mounted separately (workspaces.ts). */
function lockedPlaces(spec: WorkerSpec): Profile {
  const common = `${NO_PROGRAMS},mode=1777`;
  const locked = isLocked(spec);
  const own = !persists(spec);
  return {
    ReadonlyRootfs: true,
    ReadonlyPaths: READ_ONLY_PROC,
    Tmpfs: {
      '/tmp': common,
      '/var/tmp': common,
      '/home/agent': AGENTS,
      ...(own && locked ? { [WORKSPACE]: limited(AGENTS, spec) } : {}),
    },
    // An anonymous volume takes owner and mode from the image, and is removed with its container.
    ...(own && !locked ? { Mounts: [{ Type: 'volume', Target: WORKSPACE, Source: '' }] } : {}),
  };
}

/**
 * For modules that cannot work with the default profile, if the operator has allowed it (ALLOW_PRIVILEGED).
 */
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
