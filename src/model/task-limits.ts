const DAY = 86_400;
/** A result as JSON, in characters: Redis is no place for files. */
export const TASK_RESULT_LIMIT = 16 * 1024 ** 2;
/** Seconds for which the result or the error of an ended task can be read, where nothing else is set; Celery's own default. */
export const TASK_KEEP_SECONDS = DAY;
/** Seconds that an attempt may take where neither the task nor TASK_TIMEOUT says so; Celery knows no bound, RQ has 180. */
export const TASK_TIMEOUT_SECONDS = 3600;
