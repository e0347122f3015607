/** The conversations of agents, which their wrappers store after each turn. */
import { COMMIT_ID } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import { type Keys, START_COMMIT } from '../keys.ts';

/** Twice as many bytes as wrappers store. */
const MOST_BYTES = 16 * 1024 ** 2;

export interface StoredConversation {
  session: string;
  /** Compressed files; empty if the agent stores none. */
  archive: Buffer;
}

/** The conversation after the last turn; undefined if there is none. */
export async function readConversation(
  redis: Link,
  keys: Keys,
  id: string,
): Promise<StoredConversation | undefined> {
  // A wrapper stores less; a larger one is not read into memory.
  const sizes = [
    redis.hstrlen(keys.conversation(id), 'session'),
    redis.hstrlen(keys.conversation(id), 'archive'),
  ];
  if ((await Promise.all(sizes)).some((bytes) => bytes > MOST_BYTES)) return undefined;
  const [session, archive] = await redis.hmgetBuffer(keys.conversation(id), 'session', 'archive');
  if (!session || session.length === 0) return undefined;
  return { session: session.toString('utf8'), archive: archive ?? Buffer.alloc(0) };
}

/** The commit that the workspace of a worker was filled with; undefined if it is not known. */
export async function readStartCommit(redis: Link, keys: Keys, id: string): Promise<string | undefined> {
  // Written by the body, so it is checked.
  const commit = (await redis.hget(keys.conversation(id), START_COMMIT)) ?? '';
  return COMMIT_ID.test(commit) ? commit : undefined;
}

/** Gives a worker the conversation of another one, unless it has its own. */
export async function adoptConversation(
  redis: Link,
  keys: Keys,
  id: string,
  { session, archive }: StoredConversation,
): Promise<void> {
  const key = keys.conversation(id);
  // A body reads it only with a session, so the files come first.
  await redis.hsetnx(key, 'archive', archive);
  await redis.hsetnx(key, 'kept_at', new Date().toISOString());
  await redis.hsetnx(key, 'session', session);
}
