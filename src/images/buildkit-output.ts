import { clean, LineJoiner, StepLines } from './build-lines.ts';
import type { BuildOutput, BuildProgress } from './build-output.ts';
import { BUILDKIT_STATUS, decodeStatus, type Vertex, type VertexLog } from './buildkit-status.ts';
import type { EngineLine } from './engine-stream.ts';

/**
 * BuildKit's name for a step of the Dockerfile: `[stage-1 3/4] RUN …`, without a number if the stage has one
 * step.
 */
const STEP = /^\[(?!internal\])[^\]]*\] (.*)$/s;
/** BuildKit ends the other steps with this message when one of them fails. */
const CANCELED = /context canceled/;

interface Operation {
  /** Text of the step; absent for BuildKit's internal operations. */
  step: string | undefined;
  /** The step as the classic builder prints it; empty before it starts. */
  line: string;
  started: boolean;
  /** One joiner per stream, because chunks of standard output and standard error arrive interleaved. */
  joiners: Map<number, LineJoiner>;
  output: StepLines;
}

/**
 * The output of BuildKit: concurrent operations, each with its own lines. Steps are numbered in the order in
 * which they start, so the output looks like the classic builder's.
 */
export class BuildKitOutput implements BuildOutput {
  readonly #onStep: (progress: BuildProgress) => void;
  readonly #operations = new Map<string, Operation>();
  #latest: Operation | undefined;
  #failed: Operation | undefined;

  constructor(onStep: (progress: BuildProgress) => void) {
    this.#onStep = onStep;
  }

  take({ id, aux }: EngineLine): void {
    if (id !== BUILDKIT_STATUS || typeof aux !== 'string') return;
    const { vertexes, logs } = decodeStatus(aux);
    // Process all of them first: BuildKit announces its steps before it starts any.
    const known = vertexes.map((vertex) => this.#know(vertex));
    for (const [at, vertex] of vertexes.entries()) this.#change(known[at] as Operation, vertex);
    for (const log of logs) this.#log(log);
  }

  end(): void {
    for (const { joiners, output } of this.#operations.values())
      for (const joiner of joiners.values()) output.add(joiner.end());
  }

  get step(): string {
    return this.#shown?.line ?? '';
  }

  get lines(): readonly string[] {
    return this.#shown?.output.lines ?? [];
  }

  get #shown(): Operation | undefined {
    return this.#failed ?? this.#latest;
  }

  #know({ digest, name }: Vertex): Operation {
    const known = this.#operations.get(digest);
    if (known) return known;
    const step = STEP.exec(name)?.[1];
    const operation: Operation = {
      step,
      line: '',
      started: false,
      joiners: new Map(),
      output: new StepLines(),
    };
    this.#operations.set(digest, operation);
    return operation;
  }

  #change(operation: Operation, { started, error }: Vertex): void {
    if (started && !operation.started) this.#start(operation);
    if (error && !CANCELED.test(error)) this.#failed ??= operation;
  }

  #start(operation: Operation): void {
    operation.started = true;
    if (operation.step === undefined) return;
    const steps = [...this.#operations.values()].filter(({ step }) => step !== undefined);
    const step = steps.filter(({ started }) => started).length;
    operation.line = clean(`Step ${step}/${steps.length} : ${operation.step}`);
    this.#latest = operation;
    this.#onStep({ step, of: steps.length, line: operation.line });
  }

  #log({ vertex, stream = 1, msg }: VertexLog): void {
    const operation = this.#operations.get(vertex);
    if (!operation) return;
    const joiner = operation.joiners.get(stream) ?? new LineJoiner();
    operation.joiners.set(stream, joiner);
    for (const line of joiner.take(Buffer.from(msg).toString())) operation.output.add(line);
  }
}
