import type { AgentEvent, TurnEnd, TurnFailure } from '../../src/agents/dialogue.ts';
import { codeOf, describe, type Exit } from '../agent/exit.ts';
import type { Line } from '../agent/line-reader.ts';
import type { Listener } from '../agent/session.ts';
import type { Why } from '../shutdown.ts';
import type { InputEntry } from '../streams/input.ts';
import { open } from '../workload.ts';
import { Revival } from './agent-restart.ts';
import { Leave } from './exit-state.ts';
import { Prompts } from './prompt-queue.ts';
import { type Prompt, SENTENCES, Turn } from './turn.ts';
import { Settlement } from './turn-commit.ts';
import type { TurnsParts } from './turn-deps.ts';
import { Report } from './turn-output.ts';

/** Lines in a row that are none of the agent's protocol, in one turn: a stray print is no fault, a hundred are. */
const GARBAGE_LINES = 100;
/** As sysexits.h, EX_PROTOCOL: the agent never came to talk. */
const MUTE_CODE = 76;

/**
 * Prompts one at a time: each is a turn, and the next begins when its end was heard. A prompt is acknowledged when its
 * end stands in the output and the conversation is kept, so a body that dies in between leaves it to the next.
 *
 * What must always hold: every turn that began has one end, whatever the agent does; and nothing that hangs is
 * killed before it was asked to stop.
 */
export class Turns implements Listener {
  readonly #parts: TurnsParts;
  readonly #report: Report;
  readonly #settlement: Settlement;
  readonly #prompts: Prompts;
  readonly #leave: Leave;
  #turn: Turn | undefined;
  readonly #revival: Revival;
  #shake: () => void = () => {};
  /** Settles when the agent can be prompted for the first time. */
  readonly handshake = new Promise<void>((resolve) => {
    this.#shake = resolve;
  });

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.#settlement = new Settlement(parts.around, parts.keep);
    this.#report = new Report(parts.around, parts.denials);
    this.#prompts = new Prompts(parts.around);
    this.#leave = new Leave(parts.over);
    this.#revival = new Revival({ ...parts, leave: this.#leave }, parts.lost);
  }

  get requestId(): string | undefined {
    return this.#turn?.prompt.requestId;
  }

  settled(): Promise<unknown> {
    return this.#settlement.settled();
  }

  handle(entry: InputEntry): void {
    if (this.#leave.ending) return;
    const { around } = this.#parts;
    const message = open(entry, around);
    if (!message) return;
    if (message.type === 'prompt') {
      this.#prompts.add(entry.id, message);
      this.#pump();
      return;
    }
    void around.acknowledge(entry.id);
    if (message.type === 'interrupt') this.#stop('interrupted');
    else around.end('shutdown');
    around.output.review();
  }

  /** Asks for a turn that does not come by the input; settles with its end. The signal asks for that. */
  ask(asked: Omit<Prompt, 'entryId' | 'onEnd'>, signal: AbortSignal): Promise<TurnEnd> {
    const end = this.#prompts.ask(asked, signal, (prompt) => {
      if (this.#turn?.prompt === prompt) this.#stop('interrupted');
    });
    this.#pump();
    return end;
  }

  /** The body ends: what is under way is told as stopped when the agent has gone, and left to the next. */
  end(why: Why): void {
    this.#leave.ending ??= why;
    this.#turn?.stopClocks();
    const agent = this.#parts.conversation().agent;
    agent?.closeInput();
    agent?.signal('SIGTERM');
  }

  ready(): void {
    this.#revival.handshaken = true;
    this.#shake();
    this.#pump();
  }

  events(events: AgentEvent[]): void {
    for (const event of events) {
      this.#turn?.note(event);
      this.#report.event(event, this.requestId);
    }
    this.#holdBack();
  }

  /** Tells a refusal that was not heard from the agent. */
  tell(event: AgentEvent): void {
    this.#report.tell(event, this.requestId);
  }

  line(line: Line, readable: boolean, retrying: boolean): void {
    const turn = this.#turn;
    this.#parts.around.pulse.touch();
    if (readable) {
      turn?.sign(retrying);
      return;
    }
    this.#report.stray(line, this.requestId);
    this.#holdBack();
    if (turn && turn.garble() >= GARBAGE_LINES && !turn.forced) {
      turn.why ??= 'garbage';
      void this.#force(turn);
    }
  }

  /** A line of its stderr was heard. */
  sign(): void {
    this.#turn?.sign();
    this.#holdBack();
  }

  ended(end: TurnEnd): void {
    const turn = this.#turn;
    const lost = !end.ok && end.reason === 'session_lost';
    if (!turn && lost && this.#revival.resumes) this.#revival.beginAnew();
    if (!turn || turn.forced) return;
    if (lost) this.#revival.forget();
    // Nobody is prompted any more that knows nothing of what was said.
    if (lost && !this.#parts.around.spec.exit_after_prompt) this.#revival.restart();
    this.#conclude(turn, end);
  }

  exited(exit: Exit): void {
    const turn = this.#turn;
    const goingOn = this.#leave.staying;
    if (turn) {
      const reason = this.#leave.ending ? 'stopped' : (turn.why ?? 'exit');
      this.#conclude(turn, { ok: false, reason, message: SENTENCES[reason] ?? describe(exit) });
    } else if (goingOn && !this.#revival.handshaken && this.#revival.resumes) {
      this.#revival.beginAnew();
      return;
    }
    // An interrupt ends a turn and not the worker, even if the agent exits.
    if (turn?.why && goingOn && !this.#leave.afterPrompt) void this.#revival.begin();
    else this.#leave.end(exit, turn && goingOn ? codeOf(exit) || 1 : codeOf(exit), describe(exit));
  }

  mute(): void {
    const { conversation, handshakeMs } = this.#parts;
    const sentence = `The agent did not answer within ${handshakeMs / 1000} s of its start: check that the program uses its protocol.`;
    void conversation()
      .kill()
      .then(() => this.#leave.end({ code: null, signal: 'SIGKILL' }, MUTE_CODE, sentence));
  }

  #pump(): void {
    const { around, conversation } = this.#parts;
    const free = !this.#turn && !this.#settlement.packing && this.#leave.staying;
    const prompt = free && conversation().ready ? this.#prompts.next() : undefined;
    if (prompt) this.#prompt(prompt);
    const busy = this.#turn !== undefined || this.#prompts.length > 0;
    around.pulse.turn(busy, !busy && conversation().ready);
  }

  #prompt(prompt: Prompt): void {
    const { around, conversation, silenceMs, modelByteAt } = this.#parts;
    const turn = new Turn(prompt, {
      silenceMs,
      modelByteAt,
      pid: () => conversation().agent?.group,
      onOver: (why) => this.#stop(why),
    });
    this.#turn = turn;
    around.output.tell('turn_started', '', { request_id: prompt.requestId, entry_id: prompt.entryId });
    if (this.#revival.takeLoss()) {
      const message = 'The conversation to resume is lost; the next prompt starts a new one.';
      this.#conclude(turn, { ok: false, reason: 'session_lost', message });
    } else {
      conversation().prompt(prompt.content);
    }
  }

  /** Asks the agent to end the turn; one that does not is ended by force. */
  #stop(why: TurnFailure): void {
    const turn = this.#turn;
    if (!turn || turn.why) return;
    turn.why = why;
    turn.stopClocks();
    turn.onForce(this.#parts.interruptMs, () => void this.#force(turn));
    this.#parts.conversation().interrupt();
  }

  async #force(turn: Turn): Promise<void> {
    turn.forced = true;
    await this.#parts.conversation().kill();
    const reason = turn.why ?? 'error';
    const message = `${SENTENCES[reason] ?? ''} The agent did not stop and was killed.`.trim();
    if (this.#turn === turn) this.#conclude(turn, { ok: false, reason, message });
    const killed: Exit = { code: null, signal: 'SIGKILL' };
    if (this.#leave.afterPrompt) this.#leave.end(killed, codeOf(killed), describe(killed));
    else await this.#revival.begin();
  }

  #conclude(turn: Turn, end: TurnEnd): void {
    const { around, conversation } = this.#parts;
    turn.stopClocks();
    this.#turn = undefined;
    const { requestId, entryId } = turn.prompt;
    const { session } = conversation();
    const { seq, content, end: told } = this.#report.end(turn, end, session);
    turn.prompt.onEnd?.(told);
    if (this.#leave.ending) return;
    if (around.spec.exit_after_prompt) {
      if (end.ok) around.output.tell('completed', content, { exit_code: 0, request_id: requestId });
      const answered = this.#settlement.last(session, end.ok ? entryId : undefined);
      this.#leave.begin(end.ok ? 0 : 1, answered);
      // The one turn is over: the agent may go, and has to where it does not.
      void answered.then(() => conversation().finish());
      return;
    }
    this.#settlement.add({ entryId, seq, session }, () => this.#pump());
    if (this.#prompts.length === 0) around.output.tell('waiting_for_input', '', {});
    this.#pump();
  }

  /** Redis answers and is slower than the agent: the agent waits. */
  #holdBack(): void {
    if (this.#parts.around.output.full) this.#parts.conversation().agent?.pause();
  }
}
