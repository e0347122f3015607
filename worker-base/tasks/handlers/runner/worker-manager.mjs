/**
 * What JavaScript and TypeScript handlers import: `import { progress, signal, taskId } from 'worker-manager'`. Every
 * exported function of a handler file can be called by tasks; `args` are its arguments, and where there are `kwargs`
 * they come as one more, an object.
 */

import { AsyncLocalStorage } from 'node:async_hooks';

const state = { controller: new AbortController(), watched: false };

/** The runner's own side of this module. */
export const current = state;

/** The call that code belongs to, also what it left running: `{ id, taskId, report, over }`. For the runner. */
export const calls = new AsyncLocalStorage();

/**
 * Reports the progress of the task: a number from 0 to 100, or any JSON. Does nothing outside of a task, and once its
 * function has returned. Throws if the value is not JSON.
 */
export function progress(value) {
  const call = calls.getStore();
  if (call && !call.over) call.report(value);
}

/** Fires when the task is cancelled or out of time; a grace later the process is killed. Who asks for it is given that grace. */
export function signal() {
  state.watched = true;
  return state.controller.signal;
}

/** The id of the task that runs; undefined outside of one. */
export function taskId() {
  return calls.getStore()?.taskId;
}
