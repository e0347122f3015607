/**
 * `turns/` runs prompts on an agent: one turn at a time (`turn.ts`), its output, its commit, a hang, a
 * restart of the agent, and the plain workload of an agent whose turns cannot be recognized.
 *
 * Invariants: every turn that began has exactly one end, and a prompt is acknowledged only after that end is
 * in the output. Must not import the boot or the task queue.
 */
import type { AgentEvent, TurnEnd, TurnFailure } from '../../src/agents/dialogue.ts';
import { describeExit, type Exit, getExitCode } from '../agent/exit.ts';
import type { Line } from '../agent/line-reader.ts';
import type { SessionListener } from '../agent/session.ts';
import type { ShutdownReason } from '../shutdown.ts';
import type { InputEntry } from '../streams/input.ts';
import { parseInput } from '../workload.ts';
import { AgentRestart } from './agent-restart.ts';
import { ExitState } from './exit-state.ts';
import { endUnanswered } from './handshake-timeout.ts';
import { PromptQueue } from './prompt-queue.ts';
import { type Prompt, STOP_MESSAGES, Turn } from './turn.ts';
import { TurnCommit } from './turn-commit.ts';
import type { TurnRunnerDeps } from './turn-deps.ts';
import { TurnReporter } from './turn-output.ts';

/** Maximum number of consecutive lines in one turn that are not part of the agent's protocol. */
const GARBAGE_LINES = 100;

/**
 * Prompts one at a time: each is a turn, and the next begins when its end was received. A prompt is acknowledged when
 * its end is in the output and the conversation is stored; the next body settles what a body that died has left.
 *
 * Invariants: every turn that began has one end, whatever the agent does; a hanging agent is interrupted first.
 */
export class TurnRunner implements SessionListener {
  readonly #deps: TurnRunnerDeps;
  readonly #report: TurnReporter;
  readonly #turnCommit: TurnCommit;
  readonly #promptQueue: PromptQueue;
  readonly #exitState: ExitState;
  #turn: Turn | undefined;
  readonly #restart: AgentRestart;
  #shake: () => void = () => {};
  /** Settles when the agent can be prompted for the first time. */
  readonly handshake = new Promise<void>((resolve) => {
    this.#shake = resolve;
  });

  constructor(deps: TurnRunnerDeps) {
    this.#deps = deps;
    this.#turnCommit = new TurnCommit(deps.context, deps.archive, deps.journal);
    this.#report = new TurnReporter(deps.context, deps.denials);
    this.#promptQueue = new PromptQueue(deps.context);
    this.#exitState = new ExitState(deps.over);
    this.#restart = new AgentRestart({ ...deps, exitState: this.#exitState }, deps.lost);
  }

  get requestId(): string | undefined {
    return this.#turn?.prompt.requestId;
  }

  settled(): Promise<unknown> {
    return this.#turnCommit.settled();
  }

  handle(entry: InputEntry): void {
    if (this.#exitState.reason) return;
    const { context, predecessor } = this.#deps;
    const message = parseInput(entry, context);
    if (!message) return;
    if (message.type === 'prompt') {
      if (predecessor.settle(entry.id, message)) return;
      this.#promptQueue.add(entry.id, message);
      this.#pump();
      return;
    }
    void context.acknowledge(entry.id);
    if (message.type === 'interrupt') this.#stop('interrupted');
    else context.end('shutdown');
    context.output.review();
  }

  /** Requests a turn that is not from the input; settles with its end, which the signal requests. */
  runPrompt(prompt: Omit<Prompt, 'entryId' | 'onEnd'>, signal: AbortSignal): Promise<TurnEnd> {
    const end = this.#promptQueue.request(prompt, signal, (prompt) => {
      if (this.#turn?.prompt === prompt) this.#stop('interrupted');
    });
    this.#pump();
    return end;
  }

  /** The body ends: the turn is reported as stopped once the agent has exited, and left to the next body. */
  end(reason: ShutdownReason): void {
    this.#exitState.reason ??= reason;
    this.#turn?.stopClocks();
    const agent = this.#deps.agentSession().agent;
    agent?.closeInput();
    agent?.signal('SIGTERM');
  }

  ready(): void {
    this.#restart.handshaken = true;
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

  /** Reports a denial that the agent did not report. */
  emit(event: AgentEvent): void {
    this.#report.emit(event, this.requestId);
  }

  line(line: Line, readable: boolean, retrying: boolean): void {
    const turn = this.#turn;
    this.#deps.context.heartbeat.touch();
    if (readable) {
      turn?.sign(retrying);
      return;
    }
    this.#report.emitLine(line, this.requestId);
    this.#holdBack();
    if (turn && turn.garble() >= GARBAGE_LINES && !turn.forced) {
      turn.stopReason ??= 'garbage';
      void this.#force(turn);
    }
  }

  /** A line of its stderr was received. */
  sign(): void {
    this.#turn?.sign();
    this.#holdBack();
  }

  ended(end: TurnEnd): void {
    const turn = this.#turn;
    const lost = !end.ok && end.reason === 'session_lost';
    if (!turn && lost && this.#restart.resumes) this.#restart.beginAnew();
    if (!turn || turn.forced) return;
    if (lost) this.#restart.forget();
    // An agent that has lost the conversation gets no further prompt.
    if (lost && !this.#deps.context.spec.exit_after_prompt) this.#restart.restart();
    this.#conclude(turn, end);
  }

  exited(exit: Exit): void {
    const turn = this.#turn;
    const goingOn = this.#exitState.staying;
    if (turn) {
      const reason = this.#exitState.reason ? 'stopped' : (turn.stopReason ?? 'exit');
      this.#conclude(turn, { ok: false, reason, message: STOP_MESSAGES[reason] ?? describeExit(exit) });
    } else if (goingOn && !this.#restart.handshaken && this.#restart.resumes) {
      this.#restart.beginAnew();
      return;
    }
    // An interrupt ends a turn but not the worker, even if the agent exits.
    if (turn?.stopReason && goingOn && !this.#exitState.afterPrompt) void this.#restart.begin();
    else
      this.#exitState.end(
        exit,
        turn && goingOn ? getExitCode(exit) || 1 : getExitCode(exit),
        describeExit(exit),
      );
  }

  onHandshakeTimeout(): void {
    void endUnanswered(this.#deps, this.#exitState);
  }

  #pump(): void {
    const { context, agentSession } = this.#deps;
    const free = !this.#turn && !this.#turnCommit.packing && this.#exitState.staying;
    const prompt = free && agentSession().ready ? this.#promptQueue.next() : undefined;
    if (prompt) this.#prompt(prompt);
    const busy = this.#turn !== undefined || this.#promptQueue.length > 0;
    context.heartbeat.turn(busy, !busy && agentSession().ready);
  }

  #prompt(prompt: Prompt): void {
    const { context, agentSession, silenceMs, modelByteAt, journal, predecessor } = this.#deps;
    const { requestId, entryId } = prompt;
    const turn = new Turn(prompt, {
      silenceMs,
      modelByteAt,
      pid: () => agentSession().agent?.group,
      onOver: (why) => this.#stop(why),
    });
    this.#turn = turn;
    const fields = { request_id: requestId, entry_id: entryId, ...predecessor.fields(entryId) };
    journal.begin(entryId, context.output.emit('turn_started', '', fields));
    if (this.#restart.takeLoss()) {
      const message = 'The conversation to resume is lost; the next prompt starts a new one.';
      this.#conclude(turn, { ok: false, reason: 'session_lost', message });
    } else {
      agentSession().prompt(prompt.content, predecessor.takeNotice(prompt.content));
    }
  }

  /** Interrupts the turn; an agent that does not end it is killed. */
  #stop(why: TurnFailure): void {
    const turn = this.#turn;
    if (!turn || turn.stopReason) return;
    turn.stopReason = why;
    turn.stopClocks();
    turn.onForce(this.#deps.interruptMs, () => void this.#force(turn));
    this.#deps.agentSession().interrupt();
  }

  async #force(turn: Turn): Promise<void> {
    turn.forced = true;
    await this.#deps.agentSession().kill();
    const reason = turn.stopReason ?? 'error';
    const message = `${STOP_MESSAGES[reason] ?? ''} The agent did not stop and was killed.`.trim();
    if (this.#turn === turn) this.#conclude(turn, { ok: false, reason, message });
    const killed: Exit = { code: null, signal: 'SIGKILL' };
    if (this.#exitState.afterPrompt) this.#exitState.end(killed, getExitCode(killed), describeExit(killed));
    else await this.#restart.begin();
  }

  #conclude(turn: Turn, end: TurnEnd): void {
    const { context, agentSession } = this.#deps;
    turn.stopClocks();
    this.#turn = undefined;
    const { requestId, entryId } = turn.prompt;
    const { session } = agentSession();
    const { seq, content, end: final } = this.#report.end(turn, end, session);
    turn.prompt.onEnd?.(final);
    if (this.#exitState.reason) return;
    if (context.spec.exit_after_prompt) {
      if (end.ok) context.output.emit('completed', content, { exit_code: 0, request_id: requestId });
      const answered = this.#turnCommit.last(session, end.ok ? entryId : undefined);
      this.#exitState.begin(end.ok ? 0 : 1, answered);
      // The only turn is over: the agent may exit, and is ended if it does not.
      void answered.then(() => agentSession().finish());
      return;
    }
    this.#turnCommit.add({ entryId, seq, session }, () => this.#pump());
    if (this.#promptQueue.length === 0) context.output.emit('waiting_for_input', '', {});
    this.#pump();
  }

  /** Redis responds but is slower than the agent, so the agent waits. */
  #holdBack(): void {
    if (this.#deps.context.output.full) this.#deps.agentSession().agent?.pause();
  }
}
