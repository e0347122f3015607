/** The folder that a worker's agent works in, and how long its files live. */
import { z } from 'zod';
import { sizeFrom } from '../values/quantities.ts';
import { parseMemory } from '../values/units.ts';

/** `worker`: the bodies of one worker share the files. `body`: each body starts with an empty folder. */
export const PERSISTENCE = ['worker', 'body'] as const;
export type Persistence = (typeof PERSISTENCE)[number];

const SIZE = sizeFrom('1m');

/** git reads a leading dash as an option; a revision has no spaces or control characters. */
const gitRef = z
  .string()
  .max(255)
  .regex(/^[^\s\p{C}~^:?*[\\-][^\s\p{C}~^:?*[\\]*$/u, 'must be a branch, a tag or the ID of a commit');

const gitUrl = z
  .string()
  .max(2048)
  .refine(
    isGitUrl,
    'must be an http or https URL of a repository, without a user or password, spaces or control characters',
  );

function isGitUrl(text: string): boolean {
  // `new URL` drops line breaks and tabs, and encodes the others.
  if (/[\s\p{C}]/u.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, hash, search, hostname } = new URL(text);
  const plain = username === '' && password === '' && hash === '' && search === '' && hostname !== '';
  return plain && (protocol === 'https:' || protocol === 'http:');
}

/** A repository to fetch into an empty workspace before the agent is started. */
export const gitSource = z.strictObject({
  /** Address of the repository, over http or https. A credential for it is the secret `GIT_TOKEN`. */
  url: gitUrl,
  /** Branch, tag or ID of a commit; by default the repository's HEAD. */
  ref: gitRef.optional(),
  /** Number of commits to fetch; by default all of them. */
  depth: z.number().int().min(1).max(1_000_000).optional(),
});
export type GitSource = z.infer<typeof gitSource>;

/** The field `workspace` of a worker. */
export const workspaceFields = z.strictObject({
  /** Whose end deletes the files: the worker's (the default), or each body's. */
  persist: z.enum(PERSISTENCE).optional(),
  /**
   * Bytes as Docker writes them, such as `2g`. Enforced if the engine's storage supports quotas; otherwise exceeding it is
   * only reported, as `WorkspaceFull`.
   */
  size: z
    .string()
    .refine((text) => SIZE.parse(text) !== undefined, `must be ${SIZE.allowed}`)
    .optional(),
  /** What an empty workspace is filled with. */
  source: z.strictObject({ git: gitSource }).optional(),
});

/** Whether the files of this spec's worker outlive its bodies. */
export const persists = ({ workspace }: { workspace?: { persist?: Persistence | undefined } | undefined }) =>
  workspace?.persist !== 'body';

/** Whether a worker's files exceed the size that its spec allows, by the last report of its wrapper. */
export function isWorkspaceFull(
  { workspace }: { workspace?: { size?: string | undefined } | undefined },
  heartbeat: { workspace_bytes?: number | undefined } | undefined,
): boolean {
  const limit = workspace?.size === undefined ? undefined : parseMemory(workspace.size);
  return limit !== undefined && (heartbeat?.workspace_bytes ?? 0) > limit;
}

/** What a runtime reports about the persistent files of one worker. */
export interface Workspace {
  /** ID of the worker that it was created for; a worker that claimed a warm body uses that of the warm worker. */
  id: string;
  /** The identity of the store that it was created for. */
  store?: string | undefined;
  /** Milliseconds since 1970. */
  created_at: number;
}
