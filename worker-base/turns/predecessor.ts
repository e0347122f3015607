import type { InputMessage } from '../../src/model/messages/message.ts';
import type { CutTurn, TurnJournal } from '../agent/turn-journal.ts';
import type { Resumed, WorkloadContext } from '../workload.ts';

type PromptMessage = Extract<InputMessage, { type: 'prompt' }>;

const BODY_LOST =
  'The body ended during the turn. The prompt is not repeated; changes to files may be incomplete.';

/** What an earlier body of the worker has left. */
export interface Legacy {
  /** Absent for the worker's first body. */
  resumed: Resumed | undefined;
  /** The turns that its end has cut: the one that ran, and those whose commit was on the way. */
  cut: readonly CutTurn[];
  /** An earlier body has begun a turn. */
  hadTurns: boolean;
  /** The conversation is continued. */
  conversation: boolean;
}

/**
 * The body before this one, as far as its turns are concerned: a turn that it began and did not finish fails as `body_lost`,
 * or is begun again if its prompt asks for that (`retry`); and the agent gets one notice, with its next prompt, that its body
 * was replaced and what is left.
 */
export class Predecessor {
  readonly #context: Pick<WorkloadContext, 'output' | 'acknowledge' | 'arrived' | 'spec'>;
  readonly #journal: TurnJournal;
  readonly #cut: Map<string, CutTurn>;
  /** Entries of the prompts that are begun again. */
  readonly #repeated = new Set<string>();
  #notice: string | undefined;

  constructor(
    context: Pick<WorkloadContext, 'output' | 'acknowledge' | 'arrived' | 'spec'>,
    journal: TurnJournal,
    legacy: Legacy,
  ) {
    this.#context = context;
    this.#journal = journal;
    this.#cut = new Map(legacy.cut.map((turn) => [turn.entryId, turn]));
    // An agent that has not had a turn yet misses nothing.
    if (legacy.resumed && legacy.hadTurns) this.#notice = describe(legacy, legacy.resumed);
  }

  /** Ends the turn of this prompt if it was cut and must not be repeated; false if the prompt is to be passed on. */
  settle(entryId: string, { request_id, retry }: PromptMessage): boolean {
    const cut = this.#cut.get(entryId);
    if (!cut) return false;
    this.#cut.delete(entryId);
    // A headless worker is restarted to answer its only prompt.
    if (this.#context.spec.exit_after_prompt || (retry && !cut.ended)) {
      this.#repeated.add(entryId);
      return false;
    }
    const fields = { reason: 'body_lost', request_id, entry_id: entryId };
    const seq = cut.ended ? undefined : this.#context.output.emit('turn_failed', BODY_LOST, fields);
    void this.#acknowledge(entryId, seq);
    return true;
  }

  /** The additional fields of `turn_started`. */
  fields(entryId: string | undefined): { retried?: true } {
    return entryId !== undefined && this.#repeated.has(entryId) ? { retried: true } : {};
  }

  /** The notice for the agent with this prompt; there is one at most. */
  takeNotice(content: string): string | undefined {
    // A command of the agent's own, such as /clear, is one only at the start of the text.
    if (content.startsWith('/')) return undefined;
    const notice = this.#notice;
    this.#notice = undefined;
    return notice;
  }

  async #acknowledge(entryId: string, seq: number | undefined): Promise<void> {
    if (seq !== undefined) await this.#context.arrived(seq);
    await this.#context.acknowledge(entryId, (transaction) => this.#journal.end(transaction, entryId));
  }
}

/** The message to the agent. */
function describe({ cut, conversation }: Legacy, { persistent, workspace, written_at }: Resumed): string {
  const files = persistent
    ? `The files in ${workspace} were kept${written_at ? ` (last written at ${written_at})` : ''}.`
    : `The files in ${workspace} were not kept.`;
  const turn =
    cut.length === 0
      ? []
      : cut.every(({ ended }) => ended)
        ? ['Your memory of the last turn may be missing.']
        : ['The turn that ran then was cut: what it changed may be incomplete.'];
  return [
    'Your environment was replaced since your last turn.',
    files,
    'Everything else is gone: running processes, background tasks, and files and programs elsewhere.',
    ...(conversation ? [] : ['The conversation so far was not kept.']),
    ...turn,
  ].join(' ');
}
