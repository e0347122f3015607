/**
 * Decodes the progress of a BuildKit build. The engine sends it as protobuf messages inside its JSON lines;
 * the schema is the subset of `moby.buildkit.v1.StatusResponse` that is read here.
 */
import protobuf from 'protobufjs/light.js';

/** The `id` of the lines whose `aux` is a status message. */
export const BUILDKIT_STATUS = 'moby.buildkit.trace';

/**
 * One operation of the build, such as a step of the Dockerfile. BuildKit sends it again after each change.
 */
export interface Vertex {
  digest: string;
  /** `[stage 2/4] RUN …` for a step of the Dockerfile; anything else is BuildKit's own work. */
  name: string;
  /** Absent before the operation starts. */
  started?: object;
  completed?: object;
  error?: string;
}

/** A chunk of output from the commands of an operation. */
export interface VertexLog {
  /** Digest of the operation. */
  vertex: string;
  /** 1 is standard output, 2 is standard error. */
  stream?: number;
  msg: Uint8Array;
}

export interface BuildKitStatus {
  vertexes: Vertex[];
  logs: VertexLog[];
}

const status = protobuf.Root.fromJSON({
  nested: {
    Status: {
      fields: { vertexes: repeated(1, 'Vertex'), logs: repeated(3, 'Log') },
    },
    Vertex: {
      fields: {
        digest: { id: 1, type: 'string' },
        name: { id: 3, type: 'string' },
        started: { id: 5, type: 'Time' },
        completed: { id: 6, type: 'Time' },
        error: { id: 7, type: 'string' },
      },
    },
    Log: {
      fields: {
        vertex: { id: 1, type: 'string' },
        stream: { id: 3, type: 'int32' },
        msg: { id: 4, type: 'bytes' },
      },
    },
    Time: { fields: {} },
  },
}).lookupType('Status');

/** Decodes one message; throws if it is malformed. */
export function decodeStatus(base64: string): BuildKitStatus {
  const { vertexes = [], logs = [] } = status.toObject(status.decode(Buffer.from(base64, 'base64')));
  return { vertexes, logs };
}

function repeated(id: number, type: string) {
  return { rule: 'repeated', id, type };
}
