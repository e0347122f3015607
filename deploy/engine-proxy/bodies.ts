/**
 * Checks of request bodies: what the manager sends is allowed, key by key; everything else is refused. Pure.
 *
 * dockerd reads keys without regard to case, so an unknown key is refused rather than ignored. The server sends the
 * parsed body on, serialized again, because dockerd merges an object that occurs twice.
 */

/** What the operator allows bodies, by the settings of the same names that the manager has. */
export interface Policy {
  /** CELL. If absent, the containers of all cells are allowed. */
  cell?: string | undefined;
  /** HANDLERS_DIR: the only folder of the machine that may be mounted, read-only. */
  handlersDir?: string | undefined;
  /** ALLOW_PRIVILEGED: whether the module DOCKER is allowed. */
  allowPrivileged?: boolean | undefined;
}

type Fields = Record<string, unknown>;
type Check = (value: unknown, policy: Policy) => boolean;

const LABEL_MANAGED = 'worker-manager.managed';
const LABEL_CELL = 'worker-manager.cell';
const NETWORK = /^wm-[a-z0-9][a-z0-9-]*$/;
/** The capabilities with which the wrapper switches to the agent's user. */
const CAPABILITIES = ['SETUID', 'SETGID', 'KILL'];
/** dockerd's default (oci/defaults.go): a list without one of them would make it writable. */
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
/** Of the module DOCKER. */
const DEVICE = '/dev/net/tun';

const any: Check = () => true;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const is =
  (...allowed: unknown[]): Check =>
  (value) =>
    allowed.includes(value);
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const ifPrivileged =
  (check: Check): Check =>
  (value, policy) =>
    policy.allowPrivileged === true && check(value, policy);
const objectOf =
  (fields: Record<string, Check>): Check =>
  (value, policy) =>
    isObject(value) && findWrong(value, fields, policy) === undefined;

/** Whether an object has the labels of the manager. */
export function isOwned(labels: unknown, { cell }: Policy): boolean {
  return (
    isObject(labels) &&
    labels[LABEL_MANAGED] === 'true' &&
    (cell === undefined || labels[LABEL_CELL] === cell)
  );
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/** Whether a name is that of a volume of a workspace, by the rules of the manager's `workspaces.ts`. */
function isWorkspaceName(value: unknown, { cell }: Policy): boolean {
  const prefix = cell === undefined ? '([a-z0-9-]+-)?' : cell === 'default' ? '' : `${cell}-`;
  return (
    typeof value === 'string' && new RegExp(`^wm-${prefix}${UUID}-workspace(-noexec|-work)?$`).test(value)
  );
}

const VOLUME = objectOf({
  // An anonymous one, or a workspace: any other named volume may be another program's.
  Type: is('volume'),
  Source: (value, policy) => value === '' || isWorkspaceName(value, policy),
  Target: any,
  // The options of the driver `local` can mount any folder or device of the machine.
  VolumeOptions: objectOf({
    Labels: isOwned,
    NoCopy: any,
    DriverConfig: objectOf({
      Name: is(''),
      Options: (value) => isObject(value) && Object.keys(value).length === 0,
    }),
  }),
});
const HANDLERS = objectOf({
  Type: is('bind'),
  Source: (value, { handlersDir }) => handlersDir !== undefined && value === handlersDir,
  Target: any,
  ReadOnly: is(true),
});

const HOST_CONFIG: Record<string, Check> = {
  Init: is(true),
  NetworkMode: matches(NETWORK),
  Memory: any,
  MemorySwap: any,
  NanoCpus: any,
  PidsLimit: any,
  Ulimits: any,
  StorageOpt: objectOf({ size: any }),
  LogConfig: objectOf({ Type: is('local'), Config: any }),
  RestartPolicy: objectOf({ Name: is('no') }),
  OomScoreAdj: (value) => typeof value === 'number' && value >= 0,
  CapDrop: (value) => isList(value) && value.includes('ALL'),
  CapAdd: (value) => isList(value) && value.every((name) => CAPABILITIES.includes(String(name))),
  SecurityOpt: (value, { allowPrivileged }) =>
    isList(value) &&
    value.every((it) => it === 'no-new-privileges' || (allowPrivileged && it === 'seccomp=unconfined')),
  ReadonlyRootfs: any,
  ReadonlyPaths: (value, { allowPrivileged }) =>
    isList(value) && (allowPrivileged || READ_ONLY.every((path) => value.includes(path))),
  MaskedPaths: ifPrivileged(isList),
  Tmpfs: isObject,
  Mounts: (value, policy) =>
    isList(value) && value.every((mount) => VOLUME(mount, policy) || HANDLERS(mount, policy)),
  Devices: (value, policy) => isList(value) && (value.length === 0 || ifPrivileged(areTun)(value, policy)),
};

const areTun: Check = (value) =>
  isList(value) &&
  value.every((it) => isObject(it) && it.PathOnHost === DEVICE && it.PathInContainer === DEVICE);

const CREATE: Record<string, Check> = {
  Image: matches(/\S/),
  Entrypoint: any,
  Cmd: any,
  User: any,
  Hostname: any,
  Env: any,
  StopTimeout: any,
  Labels: isOwned,
  NetworkingConfig: objectOf({
    EndpointsConfig: (value) =>
      isObject(value) &&
      Object.entries(value).every(
        ([name, endpoint]) =>
          NETWORK.test(name) && objectOf({ IPAMConfig: objectOf({ LinkLocalIPs: isList }) })(endpoint, {}),
      ),
  }),
};

/** The path of the first field that is unknown or has a value that is not allowed. */
function findWrong(value: Fields, checks: Record<string, Check>, policy: Policy): string | undefined {
  return Object.keys(value).find(
    (name) => !Object.hasOwn(checks, name) || checks[name]?.(value[name], policy) !== true,
  );
}

function check(body: unknown, checks: Record<string, Check>, policy: Policy, where = ''): string | undefined {
  if (!isObject(body)) return `${where || 'the body'} must be an object`;
  const wrong = findWrong(body, checks, policy);
  return wrong === undefined ? undefined : `${where}${where && '.'}${wrong} is not allowed with this value`;
}

/** A body of a worker: no privileges, no namespaces of the machine, and nothing of the machine mounted. */
export function checkCreate(body: unknown, policy: Policy): string | undefined {
  if (!isObject(body)) return 'the body must be an object';
  const { HostConfig: host, ...rest } = body;
  const wrong = check(rest, CREATE, policy) ?? check(host, HOST_CONFIG, policy, 'HostConfig');
  if (wrong) return wrong;
  if (!isObject(rest.Labels)) return 'Labels must have the labels of the manager';
  const { CapDrop, SecurityOpt, NetworkMode } = host as Fields;
  // Without these fields dockerd's own, weaker defaults apply.
  if (CapDrop === undefined) return 'HostConfig.CapDrop must contain ALL';
  if (NetworkMode === undefined) return 'HostConfig.NetworkMode must be the network of a cell';
  const strict = isList(SecurityOpt) && SecurityOpt.includes('no-new-privileges');
  return strict || policy.allowPrivileged
    ? undefined
    : 'HostConfig.SecurityOpt must contain no-new-privileges';
}

/** New limits. */
export const checkUpdate = (body: unknown, policy: Policy) =>
  check(body, { Memory: any, MemorySwap: any, NanoCpus: any, PidsLimit: any }, policy);

/** A command in a container, without more privileges than the container has. */
export const checkExec = (body: unknown, policy: Policy) =>
  check(body, { User: any, Cmd: isList, AttachStdin: any, AttachStdout: any, AttachStderr: any }, policy);

export const checkExecStart = (body: unknown, policy: Policy) =>
  check(body, { Detach: is(false), Tty: is(false) }, policy);

/** The network of a cell. */
export const checkNetwork = (body: unknown, policy: Policy) =>
  check(
    body,
    {
      Name: matches(NETWORK),
      Driver: is('bridge'),
      CheckDuplicate: any,
      Options: objectOf({ 'com.docker.network.bridge.enable_icc': is('false') }),
      Labels: isOwned,
    },
    policy,
  ) ?? ((body as Fields).Labels === undefined ? 'Labels must have the labels of the manager' : undefined);

/** The layers of an overlay: the folders of volumes of the same workspace, wherever the engine stores volumes. */
const LAYERS =
  /^lowerdir=(\/[^,:\\]*\/volumes)\/(wm-[a-z0-9-]+-workspace)-noexec\/_data,upperdir=\1\/\2\/_data,workdir=\1\/\2-work\/_data,noexec,nosuid,nodev$/;

/** A volume of a workspace. The options of the driver `local` can mount any folder, so only the manager's own are allowed. */
export function checkVolume(body: unknown, policy: Policy): string | undefined {
  const options: Check = (value) => {
    if (!isObject(value)) return false;
    const { type, device, o, size, ...more } = value;
    if (Object.keys(more).length > 0) return false;
    if (type === undefined && device === undefined && o === undefined)
      return size === undefined || /^\d+$/.test(String(size));
    const name = (body as Fields).Name;
    const layers = typeof o === 'string' ? LAYERS.exec(o) : null;
    return (
      type === 'overlay' && device === 'overlay' && size === undefined && `${layers?.[2]}-noexec` === name
    );
  };
  return (
    check(
      body,
      { Name: isWorkspaceName, Driver: is('local'), DriverOpts: options, Labels: isOwned },
      policy,
    ) ??
    (['Name', 'Labels'].some((name) => (body as Fields)[name] === undefined)
      ? 'Name and Labels must be those of a workspace of the manager'
      : undefined)
  );
}
