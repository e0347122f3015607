import { Fault, type FaultCode } from '../model/index.ts';

/** The error of a connection to a body's door that cannot be opened. */
export const noDoor = (bodyId: string, code: FaultCode, why: string, cause?: unknown): Fault =>
  new Fault(code, `Body ${bodyId.slice(0, 12)} can't be connected to: ${why}.`, { cause });
