import { DAY_SECONDS } from '../values/limits.ts';

/** Maximum length of a result as JSON, in characters; Redis is not for files. */
export const TASK_RESULT_LIMIT = 16 * 1024 ** 2;
/** Default time in seconds for which the result or error of an ended task can be read; the same as Celery's default. */
export const TASK_KEEP_SECONDS = DAY_SECONDS;
/**
 * Default timeout of an attempt in seconds, if neither the task nor TASK_TIMEOUT sets one; Celery has no limit, RQ has
 * 180.
 */
export const TASK_TIMEOUT_SECONDS = 3600;
