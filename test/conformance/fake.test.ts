import { createHash } from 'node:crypto';
import { FakeEngine, type FakeProgram, FakeRuntime } from '../support/fake-runtime/fake.ts';
import { PRINTED, type Program, runtimeConformance, type Subject, workerSpec } from './runtime.ts';

/** The fake reads its programs from the argv of the order. */
function behave(program: Program, files: Set<string>): FakeProgram {
  if (typeof program === 'object') return { exit_code: program.exits };
  switch (program) {
    case 'runs':
    case 'neverReads':
      return { ignores_secrets: true };
    case 'echoes':
      return { on_connect: (stream) => void stream.pipe(stream) };
    case 'ignoresSigterm':
      return { ignores_sigterm: true };
    case 'oom':
      return { exit_code: 137, oom_killed: true };
    case 'missingProgram':
      return { refused: 'there is no such program' };
    case 'prints':
      return { exit_code: 3, tail: PRINTED };
    case 'writes':
      files.add('kept');
      return { exit_code: 0 };
    case 'reads':
      return { exit_code: files.has('kept') ? 0 : 4 };
    case 'takesSecrets':
      return {
        on_secrets: (content) => ({
          exit_code: 0,
          tail: createHash('sha256').update(content).digest('hex'),
        }),
      };
  }
}

runtimeConformance(
  'fake',
  async (): Promise<Subject> => {
    const engine = new FakeEngine({
      program: ({ argv }, files) => behave(JSON.parse(argv?.[0] ?? '"runs"'), files),
    });
    return {
      runtime: new FakeRuntime({ engine }),
      second: new FakeRuntime({ engine }),
      otherCell: new FakeRuntime({ engine, cell: 'other' }),
      order: (worker_id, program) => ({
        worker_id,
        incarnation: 1,
        spec: workerSpec({ runtime: 'docker' }),
        spec_hash: 'a'.repeat(64),
        epoch: 1,
        env: {},
        argv: [JSON.stringify(program)],
      }),
      settled: async () => undefined,
      killFromOutside: async ({ id }) => engine.exit(id, { exit_code: 137 }),
      alive: async ({ worker_id }) => engine.liveOf(worker_id),
      occupyName: async (worker) => {
        engine.occupyName(worker);
        return {
          isThere: async () => engine.nameTaken('default', worker) === 'foreign',
          remove: async () => engine.freeName(worker),
        };
      },
      breakWatch: async () => engine.reconnect(),
      pause: async ({ id }) => engine.pause(id),
      close: async () => undefined,
    };
  },
  { skip: { grandchildren: 'it has no processes', outlivesName: 'its names are the worker ids' } },
);
