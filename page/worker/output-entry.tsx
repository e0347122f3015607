/** One entry of a worker's output. Its text is shown as text, whatever it contains. */
import { useState } from 'preact/hooks';
import type { WorkerOutput } from '../../src/client/types.ts';
import { Foreign } from '../parts/basics.tsx';
import { formatBytes, formatTime, printable } from '../parts/text.ts';
import type { SentPrompts } from './prompt-box.tsx';

/** Characters of a text that are shown at first, and those of its end, where the last lines are. */
const SHORT = 4000;
const END = 1000;
const LONG = 200_000;

export function Entry({ entries, prompts }: { entries: WorkerOutput[]; prompts: SentPrompts }) {
  const [entry] = entries;
  if (!entry) return null;
  const content = entries.length === 1 ? entry.content : entries.map((part) => part.content).join('');
  const last = entries.at(-1) ?? entry;
  const kind = KINDS[entry.type] ?? 'note';
  return (
    <div
      class={`entry ${kind} type-${entry.type in KINDS ? entry.type : 'other'}`}
      data-seq={entry.seq}
      data-last-seq={last.seq}
    >
      <time class="when" dateTime={entry.timestamp}>
        {formatTime(entry.timestamp)}
      </time>
      <div class="what">
        <Body entry={entry} content={content ?? ''} prompts={prompts} />
      </div>
    </div>
  );
}

/** How an entry looks. */
const KINDS: Record<string, 'line' | 'said' | 'tool' | 'note' | 'bad'> = {
  stdout: 'line',
  stderr: 'line',
  message: 'said',
  tool_use: 'tool',
  tool_result: 'tool',
  permission_denied: 'bad',
  turn_failed: 'bad',
  gap: 'bad',
};

/** The name of an entry other than a line of text. */
const NAMES: Record<string, string> = {
  ready: 'Ready',
  turn_started: 'Turn started',
  turn_completed: 'Turn completed',
  turn_failed: 'Turn failed',
  waiting_for_input: 'Waiting for input',
  permission_denied: 'Permission denied',
  completed: 'Completed',
  gap: 'Output was lost',
  exited: 'Exited',
};

function Body({ entry, content, prompts }: { entry: WorkerOutput; content: string; prompts: SentPrompts }) {
  switch (entry.type) {
    case 'stdout':
    case 'stderr':
      return (
        <>
          {entry.type === 'stderr' && <span class="tag">stderr</span>}
          <Text text={content} />
        </>
      );
    case 'message':
      return <Text text={content} />;
    case 'tool_use':
    case 'tool_result':
      return <ToolCall entry={entry} content={content} />;
    default: {
      const prompt = entry.type === 'turn_started' ? prompts.get(entry.request_id ?? '') : undefined;
      return (
        <>
          <span class="tag">{NAMES[entry.type] ?? printable(entry.type)}</span>
          {prompt !== undefined && (
            <div class="prompt">
              <Text text={prompt} />
            </div>
          )}
          <Text text={content} />
          <Usage entry={entry} />
        </>
      );
    }
  }
}

function ToolCall({ entry, content }: { entry: WorkerOutput; content: string }) {
  const used = entry.type === 'tool_use';
  const failed = entry.is_error === true;
  const tool = typeof entry.tool === 'string' ? entry.tool : 'tool';
  const [firstLine = ''] = content.split('\n', 1);
  const input = used && entry.input !== undefined ? JSON.stringify(entry.input, null, 2) : undefined;
  const summary = (
    <>
      <span class="tag">{used ? 'Tool' : failed ? 'Error' : 'Result'}</span>{' '}
      <strong>
        <Foreign text={tool} />
      </strong>{' '}
      <span class="brief">
        <Foreign text={firstLine.slice(0, 300)} />
      </span>
    </>
  );
  const detail = used ? input : content === firstLine ? undefined : content;
  if (detail === undefined || detail === '{}') return <div class="tool-head">{summary}</div>;
  return (
    <details>
      <summary>{summary}</summary>
      <Text text={detail} />
    </details>
  );
}

function Usage({ entry: { usage, cost_usd } }: { entry: WorkerOutput }) {
  const { input_tokens: read, output_tokens: written } = (usage ?? {}) as Record<string, unknown>;
  const parts = [
    typeof read === 'number' && typeof written === 'number' && `${read} tokens in, ${written} out`,
    typeof cost_usd === 'number' && `$${cost_usd.toFixed(4)}`,
  ].filter(Boolean);
  return parts.length > 0 ? <span class="dim"> {parts.join(', ')}</span> : null;
}

/** Of a long text, the beginning and the end are shown, since a line may have a megabyte. */
function Text({ text }: { text: string }) {
  const [shown, setShown] = useState(SHORT);
  const cut = text.length > shown + END;
  return (
    <>
      <bdi class="text">{printable(cut ? text.slice(0, shown) : text)}</bdi>
      {cut && (
        <button type="button" class="link" onClick={() => setShown(shown === SHORT ? LONG : text.length)}>
          Show more of {formatBytes(text.length)}
        </button>
      )}
      {cut && <bdi class="text">{printable(text.slice(-END))}</bdi>}
    </>
  );
}
