import { errorMessage } from '../../../src/model/fault.ts';
import { failure } from './failure.ts';

/** A call as a runner reads it; throws a TaskError if its arguments cannot be JSON. */
export function callLine(request: object): string {
  try {
    return JSON.stringify(request);
  } catch (error) {
    const reason = error instanceof RangeError ? 'they are nested too deeply' : errorMessage(error);
    throw failure('NotSerialisable', `the arguments can't be converted to JSON: ${reason}`);
  }
}
