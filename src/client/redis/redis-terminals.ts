import { ManagerError } from '../errors.ts';
import type { TerminalTransport } from '../transport.ts';

const refuse = (): never => {
  const what = 'Terminals and ports need the HTTP API of a manager, which connects to bodies.';
  throw new ManagerError('unsupported', what, { status: 422 });
};
const unsupported = async (): Promise<never> => refuse();

/** Nothing of a terminal or a port works over Redis alone. */
export const redisTerminals: TerminalTransport = {
  openTerminal: unsupported,
  listTerminals: unsupported,
  closeTerminal: unsupported,
  viewTerminal: unsupported,
  getPortUrl: refuse,
  createPortLink: unsupported,
};
