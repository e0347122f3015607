import type { HostConfig } from 'dockerode';

/**
 * What was asked for and is not there. Engines ignore keys that they do not know and limits that their kernel
 * lacks without an error, so what protects is compared after the create. Pure.
 */
export function findDropped(asked: HostConfig, made: HostConfig): string[] {
  const dropped: string[] = [];
  const check = (what: string, holds: boolean) => holds || dropped.push(what);
  check('no privileges', made.Privileged !== true);
  check('CapDrop ALL', made.CapDrop?.includes('ALL') === true);
  check(
    `CapAdd ${asked.CapAdd?.join(', ') || 'nothing'}`,
    equal(capabilities(asked.CapAdd), capabilities(made.CapAdd)),
  );
  const options = securityOptions(made.SecurityOpt);
  for (const option of securityOptions(asked.SecurityOpt)) check(option, options.includes(option));
  check('ReadonlyRootfs', !asked.ReadonlyRootfs || made.ReadonlyRootfs === true);
  for (const key of ['ReadonlyPaths', 'MaskedPaths'] as const)
    check(key, asked[key] === undefined || equal(asked[key] ?? [], made[key] ?? []));
  for (const [path, wanted] of Object.entries<string>(asked.Tmpfs ?? {})) {
    const there = new Set((made.Tmpfs?.[path] ?? '').split(','));
    check(
      `Tmpfs ${path}`,
      wanted.split(',').every((option) => there.has(option)),
    );
  }
  check('Mounts', equal(targets(asked), targets(made)));
  check('no Binds', (made.Binds ?? []).length === 0);
  check('Devices', equal(devices(asked), devices(made)));
  check('Init', made.Init === true);
  check(`network ${asked.NetworkMode}`, made.NetworkMode === asked.NetworkMode);
  check('RestartPolicy no', ['', 'no'].includes(made.RestartPolicy?.Name ?? ''));
  check('LogConfig local', made.LogConfig?.Type === asked.LogConfig?.Type);
  // MemorySwap is not compared: kernels without swap accounting are common, and memory itself is limited there.
  check('Memory', asked.Memory === undefined || made.Memory === asked.Memory);
  check('NanoCpus', asked.NanoCpus === undefined || made.NanoCpus === asked.NanoCpus);
  check('PidsLimit', asked.PidsLimit === undefined || made.PidsLimit === asked.PidsLimit);
  for (const { Name, Hard } of asked.Ulimits ?? [])
    check(`Ulimit ${Name}`, made.Ulimits?.some((it) => it.Name === Name && it.Hard === Hard) === true);
  return dropped;
}

/** Engines answer them with or without their prefix. */
const capabilities = (names: string[] | null | undefined) =>
  (names ?? []).map((name) => name.replace(/^CAP_/, ''));
const securityOptions = (options: string[] | null | undefined) =>
  (options ?? []).map((option) => option.replace(/^no-new-privileges:true$/, 'no-new-privileges'));
const targets = ({ Mounts }: HostConfig) => (Mounts ?? []).map(({ Type, Target }) => `${Type} ${Target}`);
const devices = ({ Devices }: HostConfig) =>
  (Devices ?? []).map((it: { PathOnHost: string }) => it.PathOnHost);

function equal(some: string[], others: string[]): boolean {
  return some.length === others.length && [...some].sort().join('\0') === [...others].sort().join('\0');
}
