import type { TerminalTransport } from '../door-transports.ts';
import { ManagerError } from '../errors.ts';
import { needsHttp } from './ask-body.ts';

const WHAT = 'Terminals and ports need the HTTP API of a manager, which connects to bodies.';
const unsupported = needsHttp(WHAT);

/** Nothing of a terminal or a port works over Redis alone. */
export const redisTerminals: TerminalTransport = {
  openTerminal: unsupported,
  listTerminals: unsupported,
  closeTerminal: unsupported,
  viewTerminal: unsupported,
  getPortUrl: () => {
    throw new ManagerError('unsupported', WHAT, { status: 422 });
  },
  createPortLink: unsupported,
};
