import type { z } from 'zod';
import { type PoolSpec, taskDefaults } from '../model/pool/pool.ts';
import { type Task, taskId, taskSubmission } from '../model/task/task.ts';
import { findInexactNumber } from '../model/values/exact-json.ts';
import { Fault, type Issue } from '../model/values/fault.ts';
import { toIssues } from '../model/values/issues.ts';
import { readBoundedJson } from '../model/values/json-depth.ts';

/** Number of issues that the message names; all of them are in `issues`. */
const ISSUES_SHOWN_AT_MOST = 5;

/** Reads a submission; throws a Fault `invalid_command` that names every invalid field. */
export function readSubmission(input: unknown): Task {
  // Before the schema, which would drop values that must be rejected, and overflows on a deep one.
  const inexact = findInexactNumber(input);
  const read = inexact ? undefined : taskSubmission.safeParse(input);
  if (read?.success) return read.data;
  const issues = inexact ? [inexact] : toIssues((read as { error: z.ZodError }).error).map(payloadIssue);
  const list = issues
    .slice(0, ISSUES_SHOWN_AT_MOST)
    .map(({ path, message }) => (path ? `${path} ${message}` : message));
  throw new Fault('invalid_command', `The task was refused: ${list.join('; ')}.`, { issues });
}

/** A payload that matches none of the three kinds does not show which one was intended. */
function payloadIssue(issue: Issue): Issue {
  if (issue.path !== 'payload') return issue;
  const message =
    'must be one of {function, args?, kwargs?}, {command: [program, …]} and {prompt}, with only JSON in it';
  return { path: 'payload', message };
}

/** The task with its pool's values for missing fields. Pure. */
export function withPoolDefaults(task: Task, { tasks: defaults }: Pick<PoolSpec, 'tasks'>): Task {
  const { timeout_seconds = defaults?.timeout_seconds, max_retries = defaults?.max_retries } = task;
  return {
    ...task,
    ...(timeout_seconds !== undefined && { timeout_seconds }),
    ...(max_retries !== undefined && { max_retries }),
  };
}

/**
 * The settings for tasks in a pool's record. An unreadable record sets nothing: the pool's reconcile reports
 * it, and its nodes keep taking tasks.
 */
export function readRules(spec: string | null): Pick<PoolSpec, 'tasks'> {
  const value = readBoundedJson(spec ?? '')?.value;
  return { tasks: taskDefaults.safeParse((value as { tasks?: unknown } | undefined)?.tasks).data };
}

/**
 * Throws a Fault if the pool's workers do not support the task. A pool that is not declared, whose nodes were
 * started manually, has only a name.
 */
export function rejectMisdirected(
  { payload }: Task,
  { name, template, commands }: Pick<PoolSpec, 'name' | 'template'> & { commands?: boolean },
): void {
  if ('command' in payload && !template && !commands) rejectCommand(`the pool ${name}`, 'commands: true');
  const prompted = 'prompt' in payload;
  if (prompted === (template !== undefined)) return;
  const message = prompted
    ? `is a prompt, but workers of the pool ${name} run functions and commands`
    : `is for handlers, but workers of the pool ${name} are agents, which accept {prompt}`;
  throw new Fault('invalid_command', `The task was refused: payload ${message}.`, {
    issues: [{ path: 'payload', message }],
  });
}

/** Rejects a command task that is not allowed; `setting` names the setting that allows it. */
export function rejectCommand(who: string, setting: string): never {
  const message = `is a command, but ${who} only runs functions: set ${setting} there to allow commands`;
  throw new Fault('invalid_command', `The task was refused: payload ${message}.`, {
    issues: [{ path: 'payload', message }],
  });
}

/** Whether a text is valid as the ID of a task. */
export const isTaskId = (text: string): boolean => taskId.safeParse(text).success;
