/**
 * The privileges of the agent: the user, groups and rules with which its processes are started, and how all
 * of them are ended.
 *
 * In a container of ours the operating system enforces `allowed_commands`: in a locked image each program
 * beside the base belongs to a group `cmd-<name>`, and the agent is in the groups of the allowed ones only.
 * Elsewhere nothing is enforced here, and `enforcement` shows that.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { CONFINE } from './confine-report.ts';
import { findProgram, readShebang } from './executable.ts';
import { killAgent, killMarked, killMarkedAs, killOthers } from './kill-processes.ts';
import { BUILTINS } from './shell-parser.ts';

/** The relevant part of the body's settings. */
export interface PrivilegeSettings {
  workerId: string;
  incarnation: number;
  /** The runtime's name for the body, after which its cgroup is named; only direct bodies have it. */
  bodyId?: string | undefined;
  workspace: string;
  /** The agent's environment, of which PATH is read. */
  inherited: Record<string, string>;
}

/** How the agent's processes are started, and ended. */
export interface Privileges {
  /** The argv that starts the agent with its privileges. */
  run(argv: string[]): string[];
  /**
   * The argv that runs a command for a client as the agent would: with `allowed_commands` only, and not with the
   * agent's own program.
   */
  runCommand(argv: string[]): string[];
  /** The argv that runs a helper command as the agent's user, with any program. */
  helperCommand(argv: string[]): string[];
  /**
   * The mechanisms that enforce `allowed_commands`, such as `groups` and `landlock 7`; empty if all are
   * allowed.
   */
  enforcement: string[];
  /** Allowed commands that do not exist. */
  missing: string[];
  /** The agent's own group, if it has one; files for the agent belong to it. */
  group: number | undefined;
  /**
   * Kills every process of the agent, even those that have left its group; `agentGroup` is the agent's pid.
   */
  killAll(agentGroup: number): Promise<void>;
  /**
   * The same for one of several agents of a body: processes with the mark, such as `WORKER_SLOT=…`, in their
   * environment.
   */
  killMarked(agentGroup: number, mark: string): Promise<void>;
}

/** The IDs in the images: the wrapper's user, and the agent's user and group. */
const WRAPPER_UID = 10_001;
const AGENT_UID = 10_002;
/** Directories of programs and libraries in the images; the agent cannot change them. */
const PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/worker/gate'];
/** Directories where the agent may write, in addition to its workspace. */
const WRITABLE = ['/home/agent', '/tmp', '/var/tmp', '/dev'];
/** The process whose mounts show what is enforced. */
const NOEXEC = ['/tmp', '/var/tmp', '/home/agent'];
const PROBE_MS = 5000;

/** Examines the environment once. */
export function createPrivileges(settings: PrivilegeSettings, spec: WorkerSpec): Privileges {
  const path = settings.inherited.PATH ?? '';
  const allowed = spec.allowed_commands;
  const missing = (allowed ?? []).filter((name) => !BUILTINS.has(name) && !findProgram(name, path));
  // For a CUSTOM agent, the place of its instructions and its support for hooks are unknown.
  const advice =
    allowed === undefined ? [] : spec.agent_type === 'CUSTOM' ? ['instructions'] : ['instructions', 'gate'];
  if (process.getuid?.() !== WRAPPER_UID || !existsSync(CONFINE)) {
    return {
      run: (argv) => argv,
      runCommand: (argv) => argv,
      helperCommand: (argv) => argv,
      enforcement: advice,
      missing,
      group: undefined,
      killAll: (agentGroup) => killOthers({ ...settings, agentGroup }),
      killMarked: (group, mark) => killMarked(group, [mark], settings.bodyId),
    };
  }
  const groups = commandGroups();
  const locked = allowed !== undefined && [...groups.keys()].some((name) => name !== 'node');
  const mounts = readMounts();
  const own = new Set(groups.values());
  const groupsOf = (programs: string[]) => [
    ...new Set(programs.map((file) => statSync(file).gid).filter((gid) => own.has(gid))),
  ];
  const given = allowed?.flatMap((name) => findProgram(name, path) ?? []) ?? [];
  const rules = locked ? lockedRules(settings.workspace, mounts) : [];
  const node = groups.get('node');
  const nodeGroup = node === undefined ? [] : [node];
  const user = (gids: number[]) => ['--user', [`${AGENT_UID}:${AGENT_UID}`, ...gids].join(',')];
  return {
    run: (argv) => {
      const self = resolveChain(argv[0] ?? '', path);
      const gids = locked ? groupsOf([...given, ...self]) : nodeGroup;
      const extra = locked ? self.flatMap((file) => ['--exec', file]) : [];
      return [CONFINE, ...user(gids), ...rules, ...extra, '--', ...argv];
    },
    runCommand: (argv) => [CONFINE, ...user(locked ? groupsOf(given) : nodeGroup), ...rules, '--', ...argv],
    // In the wrapper's group, because the agent could trace a process of its own user and group and so gain
    // its groups.
    helperCommand: (argv) => [
      CONFINE,
      '--user',
      // With the agent's group as a further one, so that files can be given to it.
      [`${AGENT_UID}:${WRAPPER_UID}`, AGENT_UID, ...own].join(','),
      '--',
      ...argv,
    ],
    enforcement: locked ? [...advice, 'groups', ...enforced(mounts)] : advice,
    missing,
    group: AGENT_UID,
    killAll: () => killAgent([CONFINE, ...user([]), '--', '/bin/sh', '-c', 'kill -9 -1'], AGENT_UID),
    // Only a process of the agent's user and group can read the environment of its processes.
    killMarked: (_group, mark) => killMarkedAs([CONFINE, ...user([]), '--'], mark),
  };
}

/** Landlock and seccomp for an agent in a locked image. */
function lockedRules(workspace: string, mounts: Map<string, string[]>): string[] {
  // Only the mount options decide whether programs may be created in the workspace.
  const made = mounts.get(workspace)?.includes('noexec') === false ? [workspace] : [];
  return [
    ...[...PROGRAMS, ...made].flatMap((place) => ['--exec', place]),
    ...[...WRITABLE, workspace].flatMap((place) => ['--write', place]),
    '--deny-memfd',
  ];
}

/** The mechanisms that the system really applies, in addition to the groups. */
function enforced(mounts: Map<string, string[]>): string[] {
  const probed = execFileSync(CONFINE, ['--probe'], { encoding: 'utf8', timeout: PROBE_MS });
  const landlock = Number(/^landlock=(\d+)$/m.exec(probed)?.[1] ?? 0);
  return [
    ...(mounts.get('/')?.includes('ro') ? ['read-only'] : []),
    ...(NOEXEC.every((place) => mounts.get(place)?.includes('noexec')) ? ['noexec'] : []),
    ...(/^seccomp=1$/m.test(probed) ? ['seccomp'] : []),
    ...(landlock > 0 ? [`landlock ${landlock}`] : []),
  ];
}

/** The groups of locked programs, by the program's name. */
function commandGroups(): Map<string, number> {
  const lines = readFileSync('/etc/group', 'utf8').matchAll(/^cmd-([^:\n]+):[^:\n]*:(\d+):/gm);
  return new Map([...lines].map(([, name, gid]) => [name ?? '', Number(gid)]));
}

/** Options of each mount of this process, by mount point; the last mount at a point is the visible one. */
function readMounts(): Map<string, string[]> {
  const lines = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [, place = '', , options = ''] = line.split(' ');
      return [place.replace(/\\040/g, ' '), options.split(',')];
    }),
  );
}

/** A program and the interpreters in its first lines, all of which are needed. */
function resolveChain(name: string, path: string): string[] {
  const chain: string[] = [];
  for (let next: string | undefined = findProgram(name, path); next && chain.length < 4; ) {
    chain.push(next);
    const [interpreter, first] = readShebang(next);
    const viaEnv = interpreter?.endsWith('/env') && first !== undefined && !first.startsWith('-');
    if (viaEnv && interpreter)
      chain.push(...[findProgram(interpreter, path)].filter((file) => file !== undefined));
    next = findProgram((viaEnv ? first : interpreter) ?? '', path);
  }
  return chain;
}
