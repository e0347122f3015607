/** Small parts of all views. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { WorkerInfo } from '../../src/client/types.ts';
import { printable } from './text.ts';

/** A status as a shape and a word, so that color is never the only difference. */
export function Status({ status, phase }: Pick<WorkerInfo, 'status'> & { phase?: string }) {
  return (
    <span class={`status status-${status.toLowerCase()}`}>
      <span class="shape" aria-hidden="true" />
      {status}
      {phase && <span class="phase"> {phase}</span>}
    </span>
  );
}

/** Text from elsewhere: isolated, so that it cannot reorder its surroundings, and without control characters. */
export function Foreign({ text, title }: { text: string; title?: boolean }) {
  const safe = printable(text);
  return <bdi {...(title && { title: safe })}>{safe}</bdi>;
}

/** The time, again every `everyMs`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Problem({ text }: { text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p class="problem" role="alert">
      {printable(text)}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A value as indented JSON, or text as it is. */
export function Code({ value, label }: { value: unknown; label: string }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={label}>
      {printable(text ?? '')}
    </pre>
  );
}

/** Pairs of a name and a value; values that are empty are left out. */
export function Facts({ facts }: { facts: [name: string, value: ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
