import type { AgentEvent, TurnEnd } from '../../src/agents/dialogue.ts';
import type { Line } from '../agent/line-reader.ts';
import type { Denials } from '../sandbox/denials.ts';
import { PIECE_BYTES } from '../streams/limits.ts';
import type { Surroundings } from '../workload.ts';
import { SENTENCES, type Turn } from './turn.ts';
import { cut, entryOf, entryOfEnd } from './turn-entries.ts';

/** Puts what is heard of an agent's turns on the output stream. */
export class Report {
  readonly #around: Pick<Surroundings, 'output' | 'pulse'>;
  readonly #denials: Denials;

  constructor(around: Pick<Surroundings, 'output' | 'pulse'>, denials: Denials) {
    this.#around = around;
    this.#denials = denials;
  }

  /** Something that the agent said; a refusal is told once, whoever else has seen it. */
  event(event: AgentEvent, requestId: string | undefined): void {
    if (event.type === 'permission_denied') this.#denials.add(event);
    else this.tell(event, requestId);
    if (event.type === 'tool_use') this.#denials.announce(event.tool_use_id);
    if (event.type === 'tool_result') this.#denials.review(event);
  }

  tell(event: AgentEvent, requestId: string | undefined): void {
    const { output, pulse } = this.#around;
    const { type, content, fields } = entryOf(event);
    pulse.denied = this.#denials.count;
    pulse.touch();
    output.event(type, content, { ...fields, request_id: requestId });
  }

  /** A line that is none of the agent's protocol. */
  stray({ text, cut: tooLong }: Line, requestId: string | undefined): void {
    const { text: told } = cut(text, PIECE_BYTES);
    const piece = { text: told, lines: 1, bytes: Buffer.byteLength(told) + 1, partial: tooLong };
    this.#around.output.write('stdout', piece, requestId);
  }

  /** The end of a turn; answers the number of its entry, what stands in it, and how it was meant. */
  end(
    turn: Turn,
    heard: TurnEnd,
    session: string | undefined,
  ): { seq: number; content: string; end: TurnEnd } {
    const end = meant(turn, heard);
    const { type, content, fields } = entryOfEnd(end, turn.seconds(), session);
    const { requestId: request_id, entryId: entry_id } = turn.prompt;
    return {
      seq: this.#around.output.tell(type, content, { ...fields, request_id, entry_id }),
      content,
      end,
    };
  }
}

/** How a turn ended that was asked to end: for what was asked, where the agent tells no other reason of its own. */
function meant({ why }: Turn, end: TurnEnd): TurnEnd {
  const asked = !end.ok && why !== undefined && ['interrupted', 'error', 'exit'].includes(end.reason);
  if (!asked || end.reason === why) return end;
  return { ...end, reason: why, message: SENTENCES[why] ?? end.message };
}
