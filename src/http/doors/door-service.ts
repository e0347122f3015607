/** What the routes need to reach the bodies of workers; the manager's `Doors` provides it. */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';

/** What a connection is for, as a label of the metric `open_connections`. */
export type DoorKind = 'exec' | 'files' | 'pty' | 'ports' | 'checkpoint' | 'door';

/** One body of a worker. */
export interface DoorPlace {
  incarnation: number;
  runtime: string;
  body_id: string;
}

export interface DoorCall {
  kind: DoorKind;
  /** This body and no other; by default, that of the worker when it runs. */
  place?: DoorPlace | undefined;
  method: string;
  /** The door's path and query, such as `/exec`. */
  path: string;
  headers?: OutgoingHttpHeaders;
  /** Sent once the door has accepted the token; if the response comes first, a stream is not read to its end. */
  body?: Readable | Buffer | string | undefined;
  /** It changes nothing and has no body: it is sent before the door has accepted the token, and again if it was cut. */
  isSafe?: boolean | undefined;
  /** Ends the request, and the connection with it. */
  signal?: AbortSignal | undefined;
  /** How long to wait for a worker that is starting. */
  waitSeconds?: number | undefined;
}

export interface DoorService {
  /** Resolves with the response of the body's door, whatever its status; throws a Fault if there is none. */
  request(workerId: string, call: DoorCall): Promise<IncomingMessage>;
  /** The same for a change of protocol. Without `socket`, the door has refused it, and `response` says why. */
  upgrade(
    workerId: string,
    call: DoorCall,
  ): Promise<{ response: IncomingMessage; socket?: Duplex; head?: Buffer }>;
}
