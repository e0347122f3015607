import type { z } from 'zod';
import type { WorkerView } from '../../model/index.ts';
import type { listQuery } from '../schemas/workers.ts';

type Filters = Omit<z.infer<typeof listQuery>, 'limit' | 'cursor'>;

/** Whether a worker matches the filters; `undefined` if there are none. */
export function toWorkerFilter(filters: Filters): ((view: WorkerView) => boolean) | undefined {
  const { label, ...others } = filters;
  const tests: ((view: WorkerView) => boolean)[] = [];
  for (const [field, values] of Object.entries(others)) {
    if (values === undefined) continue;
    const wanted = new Set<unknown>(values);
    tests.push((view) => wanted.has(view[field as keyof typeof others]));
  }
  for (const text of label ?? []) {
    const at = text.indexOf('=');
    const [name, value] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
    tests.push(({ labels }) =>
      Object.hasOwn(labels, name) ? value === undefined || labels[name] === value : false,
    );
  }
  return tests.length === 0 ? undefined : (view) => tests.every((test) => test(view));
}
