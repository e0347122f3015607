import type { AgentEvent, TurnEnd, TurnFailure } from '../src/agents/dialogue.ts';
import { codeOf, describe, type Exit } from './agent.ts';
import type { Conversation, Listener } from './conversation.ts';
import type { Denials } from './denials.ts';
import type { Why } from './ending.ts';
import type { InputEntry } from './input.ts';
import type { Keep } from './keep.ts';
import type { Line } from './lines.ts';
import { Report } from './report.ts';
import { Settlement } from './settlement.ts';
import { type Prompt, SENTENCES, Turn } from './turn.ts';
import { type Over, open, refuse, SECOND_PROMPT, type Surroundings } from './work.ts';

/** Lines in a row that are none of the agent's protocol, in one turn: a stray print is no fault, a hundred are. */
const GARBAGE_LINES = 100;
/** As sysexits.h, EX_PROTOCOL: the agent never came to talk. */
const MUTE_CODE = 76;

interface Parts {
  around: Surroundings;
  conversation: () => Conversation;
  keep: Keep;
  denials: Denials;
  /** Between an interrupt that the agent does not heed and its end by force. */
  interruptMs: number;
  silenceMs: number;
  handshakeMs: number;
  /** When a byte of the model last passed. */
  modelByteAt: () => number;
  /** The conversation of the incarnation before is gone. */
  lost: boolean;
  over: (over: Over) => void;
}

/**
 * Prompts one at a time: each is a turn, and the next begins when its end was heard. A prompt is acknowledged when its
 * end stands in the output and the conversation is kept, so a body that dies in between leaves it to the next.
 *
 * What must always hold: every turn that began has one end, whatever the agent does; and nothing that hangs is
 * killed before it was asked to stop.
 */
export class Turns implements Listener {
  readonly #parts: Parts;
  readonly #report: Report;
  readonly #settlement: Settlement;
  readonly #queue: Prompt[] = [];
  #turn: Turn | undefined;
  #taken = 0;
  #ending: Why | undefined;
  #leaving: { code: number; answered: Promise<Over['answered']> } | undefined;
  #lost: boolean;
  #handshaken = false;
  #isOver = false;
  #shake: () => void = () => {};
  /** Settles when the agent can be prompted for the first time. */
  readonly handshake = new Promise<void>((resolve) => {
    this.#shake = resolve;
  });

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#settlement = new Settlement(parts.around, parts.keep);
    this.#report = new Report(parts.around, parts.denials);
    this.#lost = parts.lost;
  }

  get requestId(): string | undefined {
    return this.#turn?.prompt.requestId;
  }

  settled(): Promise<unknown> {
    return this.#settlement.settled();
  }

  handle(entry: InputEntry): void {
    if (this.#ending) return;
    const { around } = this.#parts;
    const message = open(entry, around);
    if (!message) return;
    if (message.type === 'prompt') {
      if (around.spec.exit_after_prompt && this.#taken > 0) {
        refuse(entry.id, message.request_id, 'stdin_closed', SECOND_PROMPT, around);
        return;
      }
      this.#taken += 1;
      const { content, request_id: requestId, deadline_seconds: deadlineSeconds } = message;
      this.#queue.push({ entryId: entry.id, content, requestId, deadlineSeconds });
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
    return new Promise((resolve) => {
      const prompt: Prompt = { ...asked, entryId: undefined, onEnd: resolve };
      const stop = () => {
        const at = this.#queue.indexOf(prompt);
        if (at >= 0) {
          this.#queue.splice(at, 1);
          resolve({ ok: false, reason: 'interrupted', message: SENTENCES.interrupted ?? '' });
        } else if (this.#turn?.prompt === prompt) this.#stop('interrupted');
      };
      if (signal.aborted) return resolve({ ok: false, reason: 'interrupted', message: '' });
      signal.addEventListener('abort', stop, { once: true });
      this.#queue.push(prompt);
      this.#pump();
    });
  }

  /** The body ends: what is under way is told as stopped when the agent has gone, and left to the next. */
  end(why: Why): void {
    this.#ending ??= why;
    this.#turn?.stopClocks();
    const agent = this.#parts.conversation().agent;
    agent?.closeInput();
    agent?.signal('SIGTERM');
  }

  ready(): void {
    this.#handshaken = true;
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
    if (!turn && lost && this.#parts.conversation().session !== undefined) this.#beginAnew();
    if (!turn || turn.forced) return;
    if (lost) this.#forget();
    // Nobody is prompted any more that knows nothing of what was said.
    if (lost && !this.#parts.around.spec.exit_after_prompt)
      void this.#parts
        .conversation()
        .kill()
        .then(() => this.#begin());
    this.#conclude(turn, end);
  }

  exited(exit: Exit): void {
    const turn = this.#turn;
    const goingOn = !this.#ending && !this.#leaving;
    if (turn) {
      const reason = this.#ending ? 'stopped' : (turn.why ?? 'exit');
      this.#conclude(turn, { ok: false, reason, message: SENTENCES[reason] ?? describe(exit) });
    } else if (goingOn && !this.#handshaken && this.#parts.conversation().session !== undefined) {
      this.#beginAnew();
      return;
    }
    // An interrupt ends a turn and not the worker, also where the agent takes it for its own end.
    if (turn?.why && goingOn && !this.#leaving) void this.#begin();
    else this.#end(exit, turn && goingOn ? codeOf(exit) || 1 : codeOf(exit), describe(exit));
  }

  mute(): void {
    const { conversation, handshakeMs } = this.#parts;
    const sentence = `The agent did not answer within ${handshakeMs / 1000} s of its start: check that the program speaks its protocol.`;
    void conversation()
      .kill()
      .then(() => this.#end({ code: null, signal: 'SIGKILL' }, MUTE_CODE, sentence));
  }

  #pump(): void {
    const { around, conversation } = this.#parts;
    const free = !this.#turn && !this.#settlement.packing && !this.#leaving && !this.#ending;
    const prompt = free && conversation().ready ? this.#queue.shift() : undefined;
    if (prompt) this.#prompt(prompt);
    const busy = this.#turn !== undefined || this.#queue.length > 0;
    around.pulse.turn(busy, !busy && conversation().ready);
  }

  #prompt(prompt: Prompt): void {
    const { around, conversation, silenceMs, modelByteAt } = this.#parts;
    const turn = new Turn(prompt, {
      silenceMs,
      modelByteAt,
      pid: () => conversation().agent?.pid,
      onOver: (why) => this.#stop(why),
    });
    this.#turn = turn;
    around.output.tell('turn_started', '', { request_id: prompt.requestId, entry_id: prompt.entryId });
    if (this.#lost) {
      this.#lost = false;
      const message =
        'The conversation that was to be gone on with is lost; the next prompt begins a new one.';
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
    const message = `${SENTENCES[reason] ?? ''} The agent did not stop by itself and was killed.`.trim();
    if (this.#turn === turn) this.#conclude(turn, { ok: false, reason, message });
    const killed: Exit = { code: null, signal: 'SIGKILL' };
    if (this.#leaving) this.#end(killed, codeOf(killed), describe(killed));
    else await this.#begin();
  }

  #conclude(turn: Turn, end: TurnEnd): void {
    const { around, conversation } = this.#parts;
    turn.stopClocks();
    this.#turn = undefined;
    const { requestId, entryId } = turn.prompt;
    const { session } = conversation();
    const { seq, content, end: told } = this.#report.end(turn, end, session);
    turn.prompt.onEnd?.(told);
    if (this.#ending) return;
    if (around.spec.exit_after_prompt) {
      if (end.ok) around.output.tell('completed', content, { exit_code: 0, request_id: requestId });
      this.#leaving = {
        code: end.ok ? 0 : 1,
        answered: this.#settlement.last(session, end.ok ? entryId : undefined),
      };
      // The one turn is over: the agent may go, and has to where it does not.
      void this.#leaving.answered.then(() => conversation().finish());
      return;
    }
    this.#settlement.add({ entryId, seq, session }, () => this.#pump());
    if (this.#queue.length === 0) around.output.tell('waiting_for_input', '', {});
    this.#pump();
  }

  /** It would not go on with the conversation, before any prompt: the next prompt is told so. */
  #beginAnew(): void {
    this.#lost = true;
    this.#forget();
    void this.#parts
      .conversation()
      .kill()
      .then(() => this.#begin());
  }

  #forget(): void {
    const { conversation, keep } = this.#parts;
    conversation().session = undefined;
    void keep.forget();
  }

  /** Starts the process again, with what is left of the conversation. */
  async #begin(): Promise<void> {
    if (this.#ending) {
      this.#end({ code: null, signal: 'SIGTERM' }, 143, 'The agent was ended.');
      return;
    }
    this.#handshaken = false;
    try {
      const agent = await this.#parts.conversation().start();
      if (this.#ending) agent.signal('SIGTERM');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#end({ code: 126, signal: null }, 126, `The agent could not be started again: ${message}.`);
    }
  }

  #end(exit: Exit, code: number, sentence: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { over } = this.#parts;
    const leaving = this.#leaving;
    if (!leaving) over({ exit, code: this.#ending === 'shutdown' ? 0 : code, sentence });
    else void leaving.answered.then((answered) => over({ code: leaving.code, exit, sentence, answered }));
  }

  /** Redis answers and is slower than the agent: the agent waits. */
  #holdBack(): void {
    if (this.#parts.around.output.full) this.#parts.conversation().agent?.pause();
  }
}
