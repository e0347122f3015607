import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type Exit, getExitCode } from '../../agent/exit.ts';
import { failure } from './failure.ts';
import type { SlotOptions } from './options.ts';

export type Language = 'python' | 'javascript';

const LANGUAGES: Record<string, Language> = {
  '.py': 'python',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.ts': 'javascript',
  '.mts': 'javascript',
  '.cts': 'javascript',
};

/** Exit code of a runner whose channel a function has closed. */
const CHANNEL_CLOSED = 71;

/** The language of a handler file, by its extension. Throws a TaskError for other files. */
export function getLanguage(path: string): Language {
  const language = LANGUAGES[extname(path)];
  if (language) return language;
  const endings = Object.keys(LANGUAGES).join(' ');
  throw failure('HandlerNotStarted', `${path} is not a handler file: its name must end in one of ${endings}`);
}

/** A message about how a process ended during a call. `outOfMemory` is the value from the options. */
export function describeDeath(exit: Exit, name: string, outOfMemory: () => boolean | undefined): string {
  const how = exit.signal ? `was ended by ${exit.signal}` : `exited with code ${getExitCode(exit)}`;
  const why =
    exit.code === CHANNEL_CLOSED
      ? ': the function has closed the descriptors 3 or 4, which belong to the runner'
      : exit.signal === 'SIGKILL'
        ? whyKilled(outOfMemory())
        : '';
  return `The process of the function ${name} ${how} before it had a result${why}.`;
}

/** A message about the source of a SIGKILL that is not ours. */
export function whyKilled(outOfMemory: boolean | undefined): string {
  if (outOfMemory === undefined) return ': by the system because memory ran out, or manually';
  return outOfMemory
    ? ': memory ran out, and the kernel killed it'
    : ': by another process; memory had not run out';
}

/** The program of a language, with the runner below this file or the bundle, or in the checkout of the bundle. */
export function buildRunnerArgv(language: Language, files: string[], options: SlotOptions): string[] {
  const here = import.meta.dirname;
  const places = [join(here, 'runner'), join(here, '..', 'worker-base', 'tasks', 'handlers', 'runner')];
  const directory =
    options.directory ?? places.find((place) => existsSync(join(place, 'runner.py'))) ?? join(here, 'runner');
  return language === 'python'
    ? [options.python ?? 'python3', join(directory, 'runner.py'), ...files]
    : [options.node ?? process.execPath, join(directory, 'runner.mjs'), ...files];
}
