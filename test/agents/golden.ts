/**
 * Recorded sessions: `golden/<agent>/<case>/` holds what was written to the real CLI (`stdin.jsonl`), what it wrote
 * (`stdout.jsonl`), and what the dialogue makes of it (`events.json`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DialogueStep, OpenDialogue } from '../../src/agents/dialogue.ts';

/** A call of the dialogue after `heard` lines were received. */
export type Call = { heard: number } & (
  | { call: 'open' }
  | { call: 'prompt'; content: string }
  | { call: 'interrupt' }
);

export interface Recording {
  session?: string;
  calls: Call[];
  stdout: string[];
}

/** The output of a dialogue for one call or one line, without its writes to stdin. */
export type Told = { heard: number } & Omit<DialogueStep, 'write'>;

export const GOLDEN = join(import.meta.dirname, 'golden');

/** Replays a recording to a dialogue. */
export function replay(
  open: OpenDialogue,
  { session, calls, stdout }: Recording,
): { stdin: string; told: Told[] } {
  const dialogue = open({ workspace: '/workspace', session });
  let stdin = '';
  const told: Told[] = [];
  const take = ({ write, ...rest }: DialogueStep, heard: number) => {
    stdin += write ?? '';
    if (rest.events?.length === 0) delete rest.events;
    if (Object.keys(rest).length > 0) told.push({ heard, ...rest });
  };
  const make = (call: Call) =>
    call.call === 'prompt' ? dialogue.prompt(call.content) : dialogue[call.call]();
  for (let heard = 0; heard <= stdout.length; heard += 1) {
    const line = heard === 0 ? undefined : stdout[heard - 1];
    if (line !== undefined) take(dialogue.receive(line), heard);
    for (const call of calls.filter((each) => each.heard === heard)) take(make(call), heard);
  }
  return { stdin, told };
}

/** The recorded cases of an agent. */
export const recorded = (agent: string): string[] => readdirSync(join(GOLDEN, agent)).sort();

export function readGolden(
  agent: string,
  name: string,
): { recording: Recording; stdin: string; told: Told[] } {
  const file = (base: string) => readFileSync(join(GOLDEN, agent, name, base), 'utf8');
  const { told, ...rest } = JSON.parse(file('events.json')) as { told: Told[] } & Omit<Recording, 'stdout'>;
  return {
    recording: { ...rest, stdout: file('stdout.jsonl').split('\n').slice(0, -1) },
    stdin: file('stdin.jsonl'),
    told,
  };
}
