import type { AgentEvent, TurnEnd } from '../../src/agents/dialogue.ts';
import type { Line } from '../agent/line-reader.ts';
import type { Denials } from '../sandbox/denials.ts';
import { PIECE_BYTES } from '../streams/limits.ts';
import type { WorkloadContext } from '../workload.ts';
import { STOP_MESSAGES, type Turn } from './turn.ts';
import { cut, toEntryContent, toTurnEndContent } from './turn-entries.ts';

/** Writes an agent's turns to the output stream. */
export class TurnReporter {
  readonly #context: Pick<WorkloadContext, 'output' | 'heartbeat'>;
  readonly #denials: Denials;

  constructor(context: Pick<WorkloadContext, 'output' | 'heartbeat'>, denials: Denials) {
    this.#context = context;
    this.#denials = denials;
  }

  /** An event of the agent; a denial is reported once, even if another source has reported it. */
  event(event: AgentEvent, requestId: string | undefined): void {
    if (event.type === 'permission_denied') this.#denials.add(event);
    else this.emit(event, requestId);
    if (event.type === 'tool_use') this.#denials.announce(event.tool_use_id);
    if (event.type === 'tool_result') this.#denials.review(event);
  }

  emit(event: AgentEvent, requestId: string | undefined): void {
    const { output, heartbeat } = this.#context;
    const { type, content, fields } = toEntryContent(event);
    heartbeat.denied = this.#denials.count;
    heartbeat.touch();
    output.emitEvent(type, content, { ...fields, request_id: requestId });
  }

  /** A line that is not part of the agent's protocol. */
  emitLine({ text, cut: tooLong }: Line, requestId: string | undefined): void {
    const { text: printed } = cut(text, PIECE_BYTES);
    const piece = { text: printed, lines: 1, bytes: Buffer.byteLength(printed) + 1, partial: tooLong };
    this.#context.output.write('stdout', piece, requestId);
  }

  /** Writes the end of a turn; returns the number of its entry, its content, and its intended result. */
  end(
    turn: Turn,
    heard: TurnEnd,
    session: string | undefined,
  ): { seq: number; content: string; end: TurnEnd } {
    const end = applyStopReason(turn, heard);
    const { type, content, fields } = toTurnEndContent(end, turn.seconds(), session);
    const { requestId: request_id, entryId: entry_id } = turn.prompt;
    return {
      seq: this.#context.output.emit(type, content, { ...fields, request_id, entry_id }),
      content,
      end,
    };
  }
}

/** The result of a turn that was requested to end: the requested reason, if the agent reports no other. */
function applyStopReason({ stopReason }: Turn, end: TurnEnd): TurnEnd {
  const stopped =
    !end.ok && stopReason !== undefined && ['interrupted', 'error', 'exit'].includes(end.reason);
  if (!stopped || end.reason === stopReason) return end;
  return { ...end, reason: stopReason, message: STOP_MESSAGES[stopReason] ?? end.message };
}
