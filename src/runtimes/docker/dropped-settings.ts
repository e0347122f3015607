import type { HostConfig } from 'dockerode';

/**
 * Finds settings that were requested but not applied. Engines ignore unknown keys, and limits that their
 * kernel lacks, without an error, so protective settings are compared after the create. Pure.
 */
export function findDropped(requested: HostConfig, applied: HostConfig): string[] {
  const dropped: string[] = [];
  const check = (what: string, holds: boolean) => holds || dropped.push(what);
  check('no privileges', applied.Privileged !== true);
  check('CapDrop ALL', applied.CapDrop?.includes('ALL') === true);
  check(
    `CapAdd ${requested.CapAdd?.join(', ') || 'nothing'}`,
    equal(capabilities(requested.CapAdd), capabilities(applied.CapAdd)),
  );
  const options = securityOptions(applied.SecurityOpt);
  for (const option of securityOptions(requested.SecurityOpt)) check(option, options.includes(option));
  check('ReadonlyRootfs', !requested.ReadonlyRootfs || applied.ReadonlyRootfs === true);
  for (const key of ['ReadonlyPaths', 'MaskedPaths'] as const)
    check(key, requested[key] === undefined || equal(requested[key] ?? [], applied[key] ?? []));
  for (const [path, wanted] of Object.entries<string>(requested.Tmpfs ?? {})) {
    const present = new Set((applied.Tmpfs?.[path] ?? '').split(','));
    check(
      `Tmpfs ${path}`,
      wanted.split(',').every((option) => present.has(option)),
    );
  }
  check('Mounts', equal(targets(requested), targets(applied)));
  check('no Binds', (applied.Binds ?? []).length === 0);
  check('Devices', equal(devices(requested), devices(applied)));
  check('Init', applied.Init === true);
  check(`network ${requested.NetworkMode}`, applied.NetworkMode === requested.NetworkMode);
  check('RestartPolicy no', ['', 'no'].includes(applied.RestartPolicy?.Name ?? ''));
  check('LogConfig local', applied.LogConfig?.Type === requested.LogConfig?.Type);
  // MemorySwap is not compared: many kernels lack swap accounting, and memory is limited anyway.
  check('Memory', requested.Memory === undefined || applied.Memory === requested.Memory);
  check('NanoCpus', requested.NanoCpus === undefined || applied.NanoCpus === requested.NanoCpus);
  check('PidsLimit', requested.PidsLimit === undefined || applied.PidsLimit === requested.PidsLimit);
  for (const { Name, Hard } of requested.Ulimits ?? [])
    check(`Ulimit ${Name}`, applied.Ulimits?.some((it) => it.Name === Name && it.Hard === Hard) === true);
  return dropped;
}

/** Engines report them with or without the prefix. */
const capabilities = (names: string[] | null | undefined) =>
  (names ?? []).map((name) => name.replace(/^CAP_/, ''));
const securityOptions = (options: string[] | null | undefined) =>
  (options ?? []).map((option) => option.replace(/^no-new-privileges:true$/, 'no-new-privileges'));
const targets = ({ Mounts }: HostConfig) => (Mounts ?? []).map(({ Type, Target }) => `${Type} ${Target}`);
const devices = ({ Devices }: HostConfig) =>
  (Devices ?? []).map((it: { PathOnHost: string }) => it.PathOnHost);

function equal(requested: string[], applied: string[]): boolean {
  return (
    requested.length === applied.length && [...requested].sort().join('\0') === [...applied].sort().join('\0')
  );
}
