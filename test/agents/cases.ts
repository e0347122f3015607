/** The cases recorded from the real CLIs, against the stand-in for the model. */
import type { WorkerSpec } from '../../src/model/worker/spec.ts';

/** When the turn is interrupted: immediately, or after the model or a command has reached a certain point. */
export type Moment = 'at once' | { model: string } | { file: string };

export interface Turn {
  prompt: string;
  interrupt?: Moment;
}

export type Agent = 'claude' | 'factory' | 'codex';

export interface Case {
  name: string;
  turns: Turn[];
  /** Turns of an earlier process, whose conversation this case continues. */
  earlier?: Turn[];
  /** A conversation that does not exist. */
  session?: string;
  spec?: Partial<WorkerSpec>;
  /** Defaults to an Anthropic key. */
  secrets?: string[];
  /** Nothing listens at the model proxy's address. */
  unreachable?: true;
  only?: Agent | Agent[];
}

/** Whether the case is recorded for this agent. */
export const isOf = ({ only }: Case, agent: Agent): boolean =>
  only === undefined || only === agent || only.includes(agent);

const said = (prompt: string): Turn => ({ prompt });
/** One retry shows the same behavior as many, with a shorter recording. */
const impatient = { env: { CLAUDE_CODE_MAX_RETRIES: '1' } };
/** Runs until it is ended, and creates a file to show that it runs. */
const ENDLESS = ': > started; tail -f /dev/null';

export const CASES: Case[] = [
  { name: 'hello', turns: [said('[[say Hello.]]')] },
  {
    name: 'three-turns',
    turns: [
      said('[[say I am here.]]'),
      said('[[think]] [[say I look first.]] [[run git status --short --branch]] [[say The tree is clean.]]'),
      said('[[count]]'),
    ],
  },
  { name: 'tool-fails', turns: [said('[[run echo out; echo err >&2; exit 3]] [[say It failed.]]')] },
  {
    name: 'refused',
    spec: { allowed_commands: ['git'] },
    turns: [said('[[run curl http://localhost/]] [[run git status --short]] [[say I may not use curl.]]')],
  },
  {
    name: 'web-refused',
    only: 'claude',
    spec: { allowed_commands: ['git'] },
    turns: [said('[[tool WebFetch {"url":"http://localhost/","prompt":"read"}]] [[say No network.]]')],
  },
  {
    name: 'web-refused',
    only: 'factory',
    spec: { allowed_commands: ['git'] },
    turns: [said('[[tool FetchUrl {"url":"http://localhost/"}]] [[say No network.]]')],
  },
  {
    name: 'interrupt-streaming',
    turns: [
      { prompt: '[[say I begin.]] [[wait point]] [[say Never said.]]', interrupt: { model: 'point' } },
      said('[[count]]'),
    ],
  },
  {
    name: 'interrupt-tool',
    turns: [
      { prompt: `[[run ${ENDLESS}]] [[say Never said.]]`, interrupt: { file: 'started' } },
      said('[[count]]'),
    ],
  },
  {
    name: 'interrupt-at-once',
    turns: [{ prompt: '[[wait never]] [[say Never said.]]', interrupt: 'at once' }, said('[[count]]')],
  },
  { name: 'overloaded-recovers', turns: [said('[[error 529 x2]] [[say Late, but here.]]')] },
  { name: 'overloaded', only: ['claude', 'codex'], spec: impatient, turns: [said('[[error 529]]')] },
  { name: 'rate-limited', spec: impatient, turns: [said('[[error 429]]')] },
  { name: 'unauthorized', spec: impatient, turns: [said('[[error 401]]'), said('[[say Again.]]')] },
  { name: 'bad-request', turns: [said('[[error 400]]')] },
  { name: 'server-error', only: ['claude', 'codex'], spec: impatient, turns: [said('[[error 500]]')] },
  {
    name: 'unreachable',
    only: ['claude', 'codex'],
    spec: impatient,
    unreachable: true,
    turns: [said('hello')],
  },
  { name: 'cut', only: ['claude', 'codex'], spec: impatient, turns: [said('[[say Half a]] [[cut]]')] },
  { name: 'cut-recovers', turns: [said('[[say Half a]] [[cut x1]] [[say sentence.]]')] },
  { name: 'refusal', turns: [said('[[refuse]]'), said('[[count]]')] },
  { name: 'max-tokens', turns: [said('[[say Half.]] [[max_tokens]] [[say The rest.]]')] },
  { name: 'resumed', earlier: [said('[[say I am here.]]')], turns: [said('[[count]]')] },
  {
    name: 'unknown-session',
    session: '11111111-1111-4111-8111-111111111111',
    turns: [said('[[count]]')],
  },
  {
    name: 'own-endpoint',
    only: 'factory',
    secrets: ['FACTORY_API_KEY'],
    spec: { env: { FACTORY_MODEL: 'claude-haiku-4-5-20251001' } },
    turns: [said('[[run git status --short]] [[say By way of Factory.]]')],
  },
  { name: 'clear', only: 'claude', turns: [said('[[say One.]]'), said('/clear'), said('[[count]]')] },
];
