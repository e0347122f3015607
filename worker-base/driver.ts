import type { AgentType, WorkerSpec } from '../src/model/spec.ts';

/** What differs between agents: how one is started, and how a prompt stands on its stdin. */
export interface Driver {
  argv(spec: WorkerSpec): string[];
  encodePrompt(content: string): string;
}

/** Any program that reads lines and writes lines. */
const plainLines: Driver = {
  argv: (spec) => spec.command_line ?? [],
  encodePrompt: (content) => `${content}\n`,
};

const DRIVERS: Partial<Record<AgentType, Driver>> = { CUSTOM: plainLines };

/** The driver of an agent type; undefined where this wrapper has none. */
export function driverOf(type: AgentType): Driver | undefined {
  return DRIVERS[type];
}
