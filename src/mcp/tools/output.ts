import { z } from 'zod';
import { readUntilGone } from '../../http/workers/read-until-gone.ts';
import { isTurnEnd, readEntry } from '../../http/workers/turn.ts';
import { REQUEST_ID_LIMIT } from '../../model/index.ts';
import { isEntryId } from '../../model/messages/entry-id.ts';
import { ANSWER_ENTRIES, toAnswerEntry } from '../answer.ts';
import { defineTool, findWorker, untilLateOr } from '../tool.ts';
import { waitField, workerRef } from './inputs.ts';

const ENTRIES = 50;
const MOST_ENTRIES = 500;

export const outputTool = defineTool({
  name: 'output',
  title: 'Read the output of a worker',
  description:
    'Reads what a worker has written: by default its last entries, with `after` those that follow. With wait_seconds, waits for new entries, or, with request_id, for the end of that turn; `ended` then says whether the turn or the worker has ended.',
  input: z.strictObject({
    worker: workerRef,
    after: z
      .string()
      .refine(isEntryId, 'must be the `after` of an answer')
      .optional()
      .describe('`after` of the answer before'),
    request_id: z.string().min(1).max(REQUEST_ID_LIMIT).optional().describe('only entries of this turn'),
    limit: z.number().int().min(1).max(MOST_ENTRIES).default(ENTRIES),
    wait_seconds: waitField(0, 'how long to wait if there is nothing new'),
  }),
  annotations: { readOnlyHint: true },
  async run({ worker, after, request_id, limit, wait_seconds }, call) {
    const { services, signal, progress } = call;
    const { workers } = services;
    const { worker_id } = await findWorker(worker, call);
    const stream = { worker_id, of: 'output' } as const;
    // Without a position, a turn is read from the oldest entry that is kept.
    const from = after ?? (request_id === undefined ? await workers.before(stream, limit) : '0');
    const page = new OutputPage(from, { limit, request_id });
    for await (const entries of workers.read(stream, { from, follow: false, signal }))
      if (page.add(entries)) break;
    const until = untilLateOr(signal, wait_seconds);
    let gone = false;
    if (wait_seconds > 0 && page.isWaiting) {
      const following = readUntilGone(workers, stream, page.after, until);
      for (;;) {
        const { done, value } = await following.next();
        if (done) {
          gone = value !== undefined;
          break;
        }
        const full = page.add(value);
        progress(`${page.entries.length} entries`);
        if (full || !page.isWaiting) break;
      }
      await following.return(undefined);
    }
    signal.throwIfAborted();
    const { entries, after: position, ended, more } = page;
    return { worker_id, entries, after: position, ended: ended || gone, ...(more && { more: true }) };
  },
});

/** Entries up to a number and a size. */
class OutputPage {
  readonly entries: object[] = [];
  /** The ID of the last entry that was read. */
  after: string;
  /** The turn that is read has ended. */
  ended = false;
  /** There are more entries than fit. */
  more = false;
  readonly #limit: number;
  readonly #requestId: string | undefined;
  #size = 0;

  constructor(from: string, { limit, request_id }: { limit: number; request_id: string | undefined }) {
    this.after = from;
    this.#limit = limit;
    this.#requestId = request_id;
  }

  /** Whether an answer would be without what is waited for: an entry, or the end of the turn. */
  get isWaiting(): boolean {
    if (this.more) return false;
    return this.#requestId === undefined ? this.entries.length === 0 : !this.ended;
  }

  /** Adds entries; returns whether no more fit. */
  add(entries: readonly { id: string; data: string }[]): boolean {
    for (const { id, data } of entries) {
      const entry = readEntry(data);
      const wanted = entry && (this.#requestId === undefined || entry.request_id === this.#requestId);
      const answer = wanted ? toAnswerEntry(entry) : undefined;
      const size = answer ? JSON.stringify(answer).length : 0;
      const full =
        this.entries.length >= this.#limit || (this.#size > 0 && this.#size + size > ANSWER_ENTRIES);
      if (answer && full) {
        this.more = true;
        return true;
      }
      this.after = id;
      if (!answer || !entry) continue;
      this.#size += size;
      this.entries.push({ id, ...answer });
      if (this.#requestId !== undefined && isTurnEnd(entry)) this.ended = true;
    }
    return false;
  }
}
