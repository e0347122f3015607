/** The view that the address names: `#/workers/ID?tab=life`. The manager gets no part of it, as it is after the `#`. */
import { Observable, useStore } from './live/store.ts';

export interface PageRoute {
  /** The first part of the path. */
  view: string;
  /** The second part, if any. */
  id: string | undefined;
  query: URLSearchParams;
}

const route = new Observable(parse(location.hash));
window.addEventListener('hashchange', () => route.set(parse(location.hash)));

function parse(hash: string): PageRoute {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, id] = path.split('/').map(decode);
  return { view: view || 'workers', id: id || undefined, query: new URLSearchParams(query) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const useRoute = (): PageRoute => useStore(route);

/** The address of a view. */
export function toHref(view: string, id?: string, query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${text && `?${text}`}`;
}

export function go(href: string): void {
  location.hash = href;
}

/** Changes the address of the present view without a new entry in the history. */
export function replaceQuery(changes: Record<string, string>): void {
  const { view, id, query } = route.value;
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const href = toHref(view, id, Object.fromEntries(next));
  history.replaceState(null, '', href);
  route.set(parse(href));
}
