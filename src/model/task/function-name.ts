/**
 * Names of functions that tasks can call, as the API accepts them and the runners register them: an identifier in any
 * script, with dots between parts. runner.mjs and worker_manager.py apply the same rule.
 */
const PART = '[\\p{ID_Start}_$][\\p{ID_Continue}$-]*';
export const FUNCTION_NAME = new RegExp(`^${PART}(\\.${PART}){0,15}$`, 'u');
export const FUNCTION_NAME_LENGTH = 256;
