import { errorMessage } from '../../../src/model/values/fault.ts';
import { failure } from './failure.ts';

/** A call in the format of the runners; throws a TaskError if its arguments cannot be stored as JSON. */
export function callLine(request: object): string {
  try {
    return JSON.stringify(request);
  } catch (error) {
    const reason = error instanceof RangeError ? 'they are nested too deeply' : errorMessage(error);
    throw failure('NotSerialisable', `the arguments can't be converted to JSON: ${reason}`);
  }
}
