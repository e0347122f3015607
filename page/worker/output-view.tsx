/** The live output of a worker, and the box for prompts. It stays at the newest line until a person scrolls up. */

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { WorkerInfo } from '../../src/client/types.ts';
import { Problem } from '../parts/basics.tsx';
import { memoized } from '../parts/memo.ts';
import { formatNumber } from '../parts/text.ts';
import { Entry } from './output-entry.tsx';
import type { LineGroup } from './output-lines.ts';
import { PromptBox, type SentPrompts } from './prompt-box.tsx';
import { FIRST_ENTRIES, useOutput } from './use-output.ts';

const STATES = {
  connecting: 'Connecting …',
  live: 'Live',
  lost: 'Connection lost; reconnecting …',
  ended: 'The worker has ended; this is all of its output.',
} as const;
/** Pixels from the end that count as the end. */
const NEAR = 40;

export function OutputView({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const { worker_id } = worker;
  const [all, setAll] = useState(false);
  const { log, state, error } = useOutput(worker_id, { ended, all });
  const [prompts, setPrompts] = useState<SentPrompts>(new Map());
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls after each new line.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && atEnd) element.scrollTop = element.scrollHeight;
  }, [log, atEnd]);

  const onScroll = () => {
    const element = scroller.current;
    if (element) setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR);
  };
  const earlier = log.dropped;
  const first = log.groups[0]?.lines[0]?.entries[0]?.seq ?? 0;
  return (
    <div class="output">
      <Problem text={error} />
      <div class="log-frame">
        <div
          class="log"
          role="log"
          aria-live="off"
          aria-label="Output"
          tabIndex={0}
          ref={scroller}
          onScroll={onScroll}
        >
          {earlier > 0 && (
            <p class="log-note">
              {formatNumber(earlier)} older entries were dropped from this view. See all with: wm logs
            </p>
          )}
          {earlier === 0 && !all && log.entries >= FIRST_ENTRIES && first > 1 && (
            <p class="log-note">
              The last entries.{' '}
              <button type="button" class="link" onClick={() => setAll(true)}>
                Show all
              </button>
            </p>
          )}
          {log.groups.map((group) => (
            <Group key={group.key} group={group} prompts={prompts} />
          ))}
          {log.entries === 0 && <p class="log-note">No output yet.</p>}
        </div>
        {!atEnd && (
          <button type="button" class="to-end" onClick={() => setAtEnd(true)}>
            Jump to the newest
          </button>
        )}
      </div>
      <p class="log-state" role="status">
        <span class={`live-dot ${state}`} aria-hidden="true" /> {STATES[state]}
      </p>
      <PromptBox
        worker={worker}
        ended={ended}
        onSent={(request_id, content) => {
          setPrompts((before) => new Map(before).set(request_id, content));
          setAtEnd(true);
        }}
      />
    </div>
  );
}

const Group = memoized(function Group({ group, prompts }: { group: LineGroup; prompts: SentPrompts }) {
  return (
    <div class="log-group">
      {group.lines.map(({ entries }) => (
        <Entry key={entries[0]?.seq} entries={entries} prompts={prompts} />
      ))}
    </div>
  );
});
