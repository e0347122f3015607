/** One build by the engine: steps as they begin, and of a failing one the step and its last lines. */
import { readdir } from 'node:fs/promises';
import type Docker from 'dockerode';
import { errorMessage } from '../model/index.ts';
import { findBuildCause } from './build-cause.ts';
import { BuildOutput, clean } from './build-output.ts';
import { readEngineStream } from './engine-stream.ts';

export interface BuildProgress {
  /** The step that has begun, and how many there are; 0 of 0 before the first. */
  step: number;
  of: number;
  /** The builder's own line on the step, such as `Step 3/12 : RUN apt-get …`. */
  line: string;
}

export interface ImageBuildOptions {
  /** The folder that `writeBuildContext` made. */
  directory: string;
  name: string;
  labels: Record<string, string>;
  /** Values of the Dockerfile's `ARG`; never secrets, which the build cache would keep. */
  args?: Record<string, string>;
  signal: AbortSignal;
  onStep(progress: BuildProgress): void;
}

/** The build failed, or could not begin. The message is for people, and holds no secret. */
export class ImageBuildFailed extends Error {
  override name = 'ImageBuildFailed';
  /** The step that failed, as the builder wrote it; empty where none had begun. */
  readonly step: string;
  /** Of the lines that it printed, those that say why. */
  readonly tail: string[];
  constructor(image: string, why: string, step: string, lines: readonly string[], options?: ErrorOptions) {
    const hint = lines.some((line) => UNTRUSTED.test(line)) ? [UNTRUSTED_HINT] : [];
    const tail = findBuildCause(lines);
    super([`${image} could not be built: ${why}`, ...tail, ...hint].join('\n'), options);
    this.step = step;
    this.tail = tail;
  }
}

/** How npm, pip, curl and git call a certificate that they do not know. */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERTIFICATE_VERIFY_FAILED|certificate verify failed|server certificate/i;
const UNTRUSTED_HINT =
  'The registry has an untrusted certificate, as behind a proxy that inspects TLS: set WORKER_BUILD_CA to a file with the certificates to trust.';

/** Builds with the engine's classic builder, whose cache makes repeated steps free. Throws `ImageBuildFailed`. */
export async function buildImage(docker: Docker, order: ImageBuildOptions): Promise<void> {
  const { directory, name, labels, args = {}, signal } = order;
  const output = new BuildOutput(order.onStep);
  let built = false;
  const fail = (why: string, cause?: unknown) => {
    output.end();
    return new ImageBuildFailed(name, clean(why), output.step, output.lines, { cause });
  };
  try {
    const src = await readdir(directory);
    const options = { t: name, labels, buildargs: args, rm: true, forcerm: true, abortSignal: signal };
    const stream = await docker.buildImage({ context: directory, src }, options);
    for await (const { error, aux, stream: piece, status } of readEngineStream(stream)) {
      if (error) throw fail(output.step ? `${output.step} ${parseExit(error)}` : error);
      built ||= aux?.ID !== undefined;
      if (piece !== undefined) output.take(piece);
      else if (status !== undefined) output.takeLine(status);
    }
  } catch (error) {
    if (error instanceof ImageBuildFailed) throw error;
    throw fail(signal.aborted ? describeAbort(signal, output.step) : errorMessage(error), error);
  }
  if (!built) throw fail('The Docker daemon ended the build without an image.');
}

/** The engine repeats the whole command, which is in the step already; only how it ended is new. */
function parseExit(error: string): string {
  const code = /returned a non-zero code: (\d+)$/.exec(error.trim())?.[1];
  return code === undefined ? `failed: ${error}` : `ended with exit code ${code}.`;
}

function describeAbort(signal: AbortSignal, step: string): string {
  const late = (signal.reason as Error | undefined)?.name === 'TimeoutError';
  return `${step || 'It'} ${late ? 'did not finish within IMAGE_BUILD_SECONDS.' : 'was aborted.'}`;
}
