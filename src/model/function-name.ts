/**
 * Names of functions that tasks can call, as the API takes them and as the runners announce them: what a language takes for a
 * name, in any script, and parts with dots between. runner.mjs and worker_manager.py have the same rule.
 */
const PART = '[\\p{ID_Start}_$][\\p{ID_Continue}$-]*';
export const FUNCTION_NAME = new RegExp(`^${PART}(\\.${PART}){0,15}$`, 'u');
export const FUNCTION_NAME_LENGTH = 256;
