import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Dialogue, DialogueStep } from '../../src/agents/dialogue.ts';
import type { Call } from './golden.ts';

/** A dialogue connected to a process, and all messages between them. */
export class Conversation {
  stdin = '';
  stdout: string[] = [];
  calls: Call[] = [];
  /** The output of the dialogue so far. */
  told: DialogueStep[] = [];
  session: string | undefined;
  #dialogue: Dialogue;
  #child: ChildProcess;
  #waits: { sign: (step: DialogueStep) => boolean; resolve: () => void }[] = [];

  constructor(dialogue: Dialogue, child: ChildProcess, session: string | undefined) {
    this.#dialogue = dialogue;
    this.#child = child;
    this.session = session;
    child.stdin?.on('error', () => {});
    if (!child.stdout) throw new Error('The process has no stdout.');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.stdout.push(line);
      this.#take(dialogue.receive(line));
    });
  }

  make(call: { call: 'open' } | { call: 'interrupt' } | { call: 'prompt'; content: string }): void {
    this.calls.push({ heard: this.stdout.length, ...call });
    this.#take(call.call === 'prompt' ? this.#dialogue.prompt(call.content) : this.#dialogue[call.call]());
  }

  until(sign: (step: DialogueStep) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waits.push({ sign, resolve }));
  }

  #take(step: DialogueStep): void {
    this.told.push(step);
    if (step.write) {
      this.stdin += step.write;
      this.#child.stdin?.write(step.write);
    }
    this.session = step.session ?? this.session;
    for (const { sign, resolve } of this.#waits) if (sign(step)) resolve();
    this.#waits = this.#waits.filter(({ sign }) => !sign(step));
  }
}
