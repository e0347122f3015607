/**
 * The calls to Docker that the manager makes. Every other call is refused. Pure.
 *
 * A parameter of a path stands for one engine object: `{container}` and `{exec}` must belong to a container of the
 * manager, and `owned` requires the same of a network or an image.
 */
import {
  checkCreate,
  checkExec,
  checkExecStart,
  checkNetwork,
  checkUpdate,
  checkVolume,
  type Policy,
} from './bodies.ts';

/** Reports why the body of a request is refused; `undefined` if it is allowed. */
export type BodyCheck = (body: unknown, policy: Policy) => string | undefined;

export interface Rule {
  method: 'GET' | 'POST' | 'DELETE';
  /** The path without the API version. */
  path: string;
  /** Allowed parameters of the query. A pattern must match the whole value. */
  query?: Record<string, RegExp>;
  /** A parameter that must be given. */
  required?: string;
  /** A JSON body and its check, or a tar archive that is passed on as it comes. Other bodies are dropped. */
  body?: BodyCheck | 'tar';
  /** Whether the object in the path must have the labels of the manager. */
  owned?: true;
  /** Whether the connection may become a stream of bytes. */
  stream?: true;
}

const ANY = /(?:)/;
/** A filter of labels that includes the manager's; dockerd lists what has all of them. */
const OURS =
  /^\{"label":\["worker-manager\.managed=true"(,"worker-manager\.[a-z-]+(=[A-Za-z0-9_.-]*)?")*\]\}$/;
const YES = /^(true|1)$/;
const NO = /^(false|0)$/;
const BODY_NAME = /^wm-[a-z0-9-]{1,128}$/;
const BUILT_IMAGE = /^worker:[0-9a-f]{12}$/;

export const RULES: readonly Rule[] = [
  { method: 'GET', path: '/_ping' },
  { method: 'GET', path: '/version' },
  { method: 'GET', path: '/info' },
  { method: 'GET', path: '/events', query: { filters: ANY } },
  { method: 'GET', path: '/system/df', query: { type: ANY } },

  { method: 'GET', path: '/containers/json', query: { all: YES, filters: ANY } },
  // Of a container that is not the manager's, only what shows whose it is.
  { method: 'GET', path: '/containers/{container}/json' },
  { method: 'POST', path: '/containers/create', query: { name: BODY_NAME }, body: checkCreate },
  { method: 'POST', path: '/containers/{container}/start', owned: true },
  {
    method: 'POST',
    path: '/containers/{container}/kill',
    query: { signal: /^SIG(TERM|KILL)$/ },
    owned: true,
  },
  { method: 'POST', path: '/containers/{container}/unpause', owned: true },
  { method: 'POST', path: '/containers/{container}/update', body: checkUpdate, owned: true },
  { method: 'DELETE', path: '/containers/{container}', query: { force: YES, v: YES }, owned: true },
  {
    method: 'GET',
    path: '/containers/{container}/logs',
    query: { stdout: YES, stderr: YES, tail: /^\d+$/, follow: NO },
    owned: true,
  },
  {
    method: 'GET',
    path: '/containers/{container}/stats',
    query: { stream: NO, 'one-shot': YES },
    owned: true,
  },

  { method: 'POST', path: '/containers/{container}/exec', body: checkExec, owned: true },
  { method: 'POST', path: '/exec/{exec}/start', body: checkExecStart, owned: true, stream: true },
  { method: 'GET', path: '/exec/{exec}/json', owned: true },

  { method: 'GET', path: '/networks', query: { filters: ANY } },
  { method: 'GET', path: '/networks/{network}' },
  { method: 'POST', path: '/networks/create', body: checkNetwork },
  { method: 'DELETE', path: '/networks/{network}', owned: true },

  // Only a list of the manager's own: the path and the options of a volume can be secrets of its owner.
  { method: 'GET', path: '/volumes', query: { filters: OURS }, required: 'filters' },
  { method: 'GET', path: '/volumes/{volume}', owned: true },
  { method: 'POST', path: '/volumes/create', body: checkVolume },
  { method: 'DELETE', path: '/volumes/{volume}', owned: true },

  { method: 'GET', path: '/images/json', query: { all: ANY, filters: ANY } },
  { method: 'GET', path: '/images/{image}/json' },
  { method: 'GET', path: '/images/{image}/history' },
  { method: 'DELETE', path: '/images/{built}', query: { force: NO }, owned: true },
  { method: 'POST', path: '/images/create', query: { fromImage: ANY, tag: ANY } },
  { method: 'GET', path: '/distribution/{image}/json' },
  {
    method: 'POST',
    path: '/build',
    query: {
      t: BUILT_IMAGE,
      labels: ANY,
      buildargs: ANY,
      rm: YES,
      forcerm: YES,
      version: /^2$/,
    },
    body: 'tar',
  },
  { method: 'POST', path: '/build/prune', query: { 'keep-storage': /^\d+$/, filters: ANY } },
];

export type ObjectKind = 'container' | 'exec' | 'network' | 'volume' | 'image' | 'built';

export interface Match {
  rule: Rule;
  /** The part of the path before the object, the object, and the part after it; without the API version. */
  object?: { kind: ObjectKind; name: string };
  /** The API version in the path, such as `/v1.41`; empty if there is none. */
  version: string;
  query: URLSearchParams;
}

/** No percent signs, empty segments or dots alone: dockerd must read the path as it is read here. */
const OBJECTS: Record<ObjectKind, string> = {
  container: '[A-Za-z0-9][A-Za-z0-9_.-]*',
  exec: '[0-9a-f]{64}',
  network: '[A-Za-z0-9][A-Za-z0-9_.-]*',
  volume: 'wm-[a-z0-9-]+',
  image: '[A-Za-z0-9][A-Za-z0-9._:@-]*(?:/[A-Za-z0-9][A-Za-z0-9._:@-]*)*',
  // An image of the manager, and a stage of its build, which has no name.
  built: 'worker:[0-9a-f]{12}|sha256:[0-9a-f]{64}',
};
const PATTERNS = RULES.map((rule) => {
  const kind = /\{(\w+)\}/.exec(rule.path)?.[1] as ObjectKind | undefined;
  const path = kind ? rule.path.replace(`{${kind}}`, `(${OBJECTS[kind]})`) : rule.path;
  return { rule, kind, pattern: new RegExp(`^(/v1\\.\\d{2})?${path}$`) };
});

/** Finds the rule of a request, or the reason why there is none. */
export function findRule(method: string, url: string): Match | string {
  const [path = '', search = ''] = url.split('?', 2);
  for (const { rule, kind, pattern } of PATTERNS) {
    const match = rule.method === method ? pattern.exec(path) : null;
    if (!match) continue;
    const query = new URLSearchParams(search);
    const refused = checkQuery(rule, query);
    if (refused) return refused;
    const [, version = '', name = ''] = match;
    return { rule, version, query, ...(kind ? { object: { kind, name } } : {}) };
  }
  return `${method} ${path} is not on the list of the manager's calls`;
}

function checkQuery(rule: Rule, query: URLSearchParams): string | undefined {
  if (rule.required !== undefined && !query.has(rule.required))
    return `the parameter ${rule.required} is missing`;
  for (const [name, value] of query) {
    const pattern = rule.query?.[name];
    if (!pattern) return `the parameter ${name} is not allowed`;
    if (query.getAll(name).length > 1) return `the parameter ${name} is repeated`;
    if (!pattern.test(value)) return `the parameter ${name} must match ${pattern.source}`;
  }
  return undefined;
}

/** The path of a rule for an object. */
export function toPath({ rule, object, version, query }: Match, id = object?.name ?? ''): string {
  const path = rule.path.replace(/\{\w+\}/, id);
  const search = query.toString();
  return `${version}${path}${search ? `?${search}` : ''}`;
}
