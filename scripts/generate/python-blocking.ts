/** What the blocking client has in place of each part of the asynchronous one, in this order. */
const REPLACEMENTS: [RegExp, string][] = [
  [/\basync (def|with|for)\b/g, '$1'],
  [/\bawait /g, ''],
  [/\bfrom anyio import sleep\b/g, 'from time import sleep'],
  [/\bAsyncGenerator\[(\w+), (\w+)\]/g, 'Generator[$1, $2, None]'],
  [/\bStopAsyncIteration\b/g, 'StopIteration'],
  [/\basynccontextmanager\b/g, 'contextmanager'],
  [/\benter_async_context\b/g, 'enter_context'],
  [/\b__a(enter|exit|iter|next)__\b/g, '__$1__'],
  [/\ba(close|closing|read|iter_bytes)\b/g, '$1'],
  [/\basync_owner\b/g, 'owner'],
  [/\bwebsockets\.asyncio\b/g, 'websockets.sync'],
  // AsyncManager, httpx.AsyncClient, AsyncIterator, AsyncIterable.
  [/\bAsync([A-Z]\w*)/g, '$1'],
];

/** Converts a module of the asynchronous Python client to the same module with blocking calls. */
export function toBlocking(source: string): string {
  return REPLACEMENTS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), source);
}
