import { Fault, type FaultCode } from '../model/index.ts';

/** A Fault with a status of its own, and with fields beside `error` in the response. */
export class ApiFault extends Fault {
  readonly status: number;
  readonly fields: object;

  constructor(
    code: FaultCode,
    message: string,
    { status, fields = {} }: { status: number; fields?: object },
  ) {
    super(code, message);
    this.status = status;
    this.fields = fields;
  }
}
