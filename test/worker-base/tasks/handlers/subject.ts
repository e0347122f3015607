import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskError } from '../../../../src/model/task/task-error.ts';
import type {
  CallHooks,
  SlotOptions,
  TaskCall,
} from '../../../../worker-base/tasks/handlers/handler-slot.ts';
import { HandlerSlot } from '../../../../worker-base/tasks/handlers/handler-slot.ts';

/** Handlers in Python need Python; where it is missing, their tests say so in their titles. */
export const python = spawnSync('python3', ['--version']).status === 0;
export const why = python ? '' : ' (skipped: there is no python3 here)';

/** How long a test watches before it concludes that something did not happen. */
export const soon = { timeout: 15_000, interval: 10 };

export const handlers = (...names: string[]): string[] =>
  names.map((name) => join(import.meta.dirname, 'fixtures', name));

interface Printed {
  stream: string;
  text: string;
  taskId: string | undefined;
}

/** A slot in a folder of its own, and what its functions printed. */
export class Subject {
  readonly dir = mkdtempSync(join(tmpdir(), 'slot-'));
  readonly printed: Printed[] = [];
  readonly slot: HandlerSlot;

  constructor(names: string[], options: Partial<SlotOptions> = {}) {
    this.slot = new HandlerSlot({
      handlers: handlers(...names),
      cwd: this.dir,
      env: { PATH: process.env.PATH ?? '', HOME: this.dir },
      graceMs: 300,
      onOutput: (stream, { text }, taskId) => this.printed.push({ stream, text, taskId }),
      ...options,
    });
  }

  /** A call that has to succeed. */
  call(name: string, ...args: unknown[]): Promise<unknown> {
    return this.slot.call({ task_id: 'a-task', function: name, args });
  }

  /** A call that has to fail, and how it does. */
  async failure(call: Partial<TaskCall> & object, hooks?: CallHooks): Promise<TaskError> {
    try {
      const result = await this.slot.call({ task_id: 'a-task', ...call } as TaskCall, hooks);
      throw new Error(`It succeeded with ${JSON.stringify(result)?.slice(0, 200)}`);
    } catch (error) {
      if (error instanceof TaskError) return error;
      throw error;
    }
  }

  file(name: string): string {
    return join(this.dir, name);
  }

  async end(): Promise<void> {
    await this.slot.stop();
    rmSync(this.dir, { recursive: true });
  }
}
