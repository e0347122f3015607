/** The conversations of agents, which their wrappers store after each turn. */
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';

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
  const [session, archive] = await redis.hmgetBuffer(keys.conversation(id), 'session', 'archive');
  if (!session || session.length === 0) return undefined;
  return { session: session.toString('utf8'), archive: archive ?? Buffer.alloc(0) };
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
