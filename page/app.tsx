/** The frame of all views: the head with the navigation, messages, and the view that the address names. */
import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { readHealth } from './live/health.ts';
import { usePoll } from './live/poll.ts';
import { forget, token } from './live/session.ts';
import { useStore } from './live/store.ts';
import { cell, notice, openCell, useCell } from './model.ts';
import { Dialog } from './parts/dialog.tsx';
import { printable } from './parts/text.ts';
import { go, toHref, useRoute } from './router.ts';
import { TokenForm } from './token-form.tsx';
import { EventsView } from './views/events-view.tsx';
import { HealthView } from './views/health-view.tsx';
import { ImagesView } from './views/images-view.tsx';
import { PoolsView } from './views/pools-view.tsx';
import { TasksView } from './views/tasks-view.tsx';
import { OneWorkerView } from './worker/worker-view.tsx';
import { WorkersView } from './workers/workers-view.tsx';

const VIEWS = [
  { id: 'workers', name: 'Workers', key: 'w' },
  { id: 'pools', name: 'Pools', key: 'p' },
  { id: 'tasks', name: 'Tasks', key: 't' },
  { id: 'images', name: 'Images', key: 'i' },
  { id: 'events', name: 'Events', key: 'e' },
  { id: 'health', name: 'Health', key: 'h' },
] as const;

const CONNECTIONS = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' } as const;
const NOTICE_MS = 6000;
const HEALTH_MS = 5000;

export function PageApp() {
  const hasToken = useStore(token) !== undefined;
  const opened = useStore(cell);
  useEffect(() => (hasToken ? openCell() : undefined), [hasToken]);
  if (!hasToken) return <TokenForm />;
  return opened ? <Frame /> : null;
}

function Frame() {
  const { view } = useRoute();
  const [help, setHelp] = useState(false);
  const showHelp = useCallback(() => setHelp(true), []);
  useKeys(showHelp);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <span class="brand">worker-manager</span>
        <nav aria-label="Views">
          {VIEWS.map(({ id, name }) => (
            <a key={id} href={toHref(id)} {...(view === id && { 'aria-current': 'page' })}>
              {name}
            </a>
          ))}
        </nav>
        <span class="grow" />
        <ConnectionState />
        <button type="button" class="quiet" aria-keyshortcuts="?" onClick={() => setHelp(true)}>
          Keys
        </button>
        <button type="button" class="quiet" onClick={() => forget()}>
          Sign out
        </button>
      </header>
      <Message />
      <main id="main" tabIndex={-1}>
        <View />
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

/** A stream stays open while the manager has nothing to send because Redis or an engine is away. */
function ConnectionState() {
  const { cell: live } = useCell();
  const connection = useStore(live.connection);
  const { value } = usePoll('connection', HEALTH_MS, readHealth);
  const isFailing = connection === 'live' && value?.status === 'failing';
  const failed = Object.entries(value?.checks ?? {}).filter(([, { ok }]) => !ok);
  return (
    <span class="connection" role="status">
      <span class={`live-dot ${isFailing ? 'lost' : connection}`} aria-hidden="true" />{' '}
      {isFailing ? (
        <a
          href={toHref('health')}
          title={printable(failed.map(([name, { message }]) => `${name}: ${message}`).join('\n'))}
        >
          Not ready
        </a>
      ) : (
        CONNECTIONS[connection]
      )}
    </span>
  );
}

function View() {
  const { view, id } = useRoute();
  if (view === 'workers') return id === undefined ? <WorkersView /> : <OneWorkerView key={id} id={id} />;
  if (view === 'pools') return <PoolsView />;
  if (view === 'tasks') return <TasksView />;
  if (view === 'images') return <ImagesView />;
  if (view === 'events') return <EventsView />;
  if (view === 'health') return <HealthView />;
  return (
    <section class="view">
      <h1>There is no such page</h1>
      <a href={toHref('workers')}>Workers</a>
    </section>
  );
}

/** The result of the last thing that the person did; failures stay until they are closed. */
function Message() {
  const message = useStore(notice);
  useEffect(() => {
    if (!message || message.failed) return;
    const timer = setTimeout(() => notice.set(undefined), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [message]);
  return (
    <div class="notices" role="status" aria-live={message?.failed ? 'assertive' : 'polite'}>
      {message && (
        <div class={`notice ${message.failed ? 'bad' : ''}`}>
          <span>{printable(message.text)}</span>
          <button type="button" class="quiet" onClick={() => notice.set(undefined)}>
            Close
          </button>
        </div>
      )}
    </div>
  );
}

const KEYS: [string, string][] = [
  ['/', 'Filter the list of workers'],
  ['↑ ↓ Page Home End', 'Move in the list'],
  ['Enter', 'Open the worker'],
  ['← →', 'Move between the tabs of a worker'],
  ['Ctrl Enter', 'Send the prompt'],
  ['Ctrl Shift L', 'Leave the terminal'],
  ['Esc', 'Clear the filter, close a dialog, or go back to the list'],
  ['g, then w p t i e h', 'Workers, pools, tasks, images, events, health'],
  ['?', 'This help'],
];

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** Keys that work everywhere, except while a person writes: from the moment that the page is shown. */
function useKeys(onHelp: () => void): void {
  useLayoutEffect(() => {
    let after = '';
    const press = (event: KeyboardEvent) => {
      const { key, target, ctrlKey, metaKey, altKey } = event;
      if (ctrlKey || metaKey || altKey) return;
      if (target instanceof HTMLElement && target.closest('input, textarea, select, dialog')) return;
      const view = after === 'g' ? VIEWS.find((one) => one.key === key) : undefined;
      after = key;
      if (view) go(toHref(view.id));
      else if (key === '?') onHelp();
      else if (key === 'Escape' && location.hash.startsWith('#/workers/')) go(toHref('workers'));
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [onHelp]);
}
