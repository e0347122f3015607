import type { Redis } from 'ioredis';
import type { Runtime } from '../runtimes/runtime.ts';
import type { SettingRow, Settings } from '../settings.ts';
import type { Link, Store } from '../store/index.ts';

/** What the command line is given by main.ts; nothing of it is made before a verb needs it. */
export interface CliParts {
  version: string;
  settings: () => Settings;
  explainSettings: () => SettingRow[];
  connect: (settings: Settings) => { redis: Link; blocking: Redis; store: Store };
  runtimes: (settings: Settings) => Runtime[];
  wrapperIsBuilt: () => boolean;
  serve: (settings: Settings, signal: AbortSignal) => Promise<void>;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Runs one command line and gives its exit code. */
export async function runCli(_argv: string[], parts: CliParts): Promise<number> {
  const controller = new AbortController();
  process.on('SIGTERM', () => controller.abort());
  process.on('SIGINT', () => controller.abort());
  await parts.serve(parts.settings(), controller.signal);
  return 0;
}
