/** One build by the engine: steps as they begin, and of a failing one the step and its last lines. */
import { readdir } from 'node:fs/promises';
import type Docker from 'dockerode';
import { errorMessage } from '../model/index.ts';
import { findBuildCause } from './build-cause.ts';
import { clean } from './build-lines.ts';
import { type BuildOutput, type BuildProgress, ClassicOutput } from './build-output.ts';
import type { Builder } from './builder.ts';
import { BuildKitOutput } from './buildkit-output.ts';
import { readEngineStream } from './engine-stream.ts';

export type { BuildProgress } from './build-output.ts';

export interface ImageBuildOptions {
  builder: Builder;
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

const CLASSIC = { rm: true, forcerm: true };
/**
 * A number, because dockerode opens a gRPC session for the text '2'. The session serves files and credentials of the
 * client; here the context is part of the request and the base image is present.
 */
const BUILDKIT = { version: 2 as unknown as '2' };

/** How npm, pip, curl and git call a certificate that they do not know. */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERTIFICATE_VERIFY_FAILED|certificate verify failed|server certificate/i;
const UNTRUSTED_HINT =
  'The registry has an untrusted certificate, as behind a proxy that inspects TLS: set WORKER_BUILD_CA to a file with the certificates to trust.';

/** Builds with a builder of the engine, whose cache makes repeated steps free. Throws `ImageBuildFailed`. */
export async function buildImage(docker: Docker, order: ImageBuildOptions): Promise<void> {
  const { builder, directory, name, labels, args = {}, signal } = order;
  const output: BuildOutput = new (builder === 'buildkit' ? BuildKitOutput : ClassicOutput)(order.onStep);
  let built = false;
  const fail = (why: string, cause?: unknown) => {
    output.end();
    return new ImageBuildFailed(name, clean(why), output.step, output.lines, { cause });
  };
  try {
    const src = await readdir(directory);
    const common = { t: name, labels, buildargs: args, abortSignal: signal };
    const options = builder === 'buildkit' ? { ...common, ...BUILDKIT } : { ...common, ...CLASSIC };
    const stream = await docker.buildImage({ context: directory, src }, options);
    for await (const line of readEngineStream(stream)) {
      if (line.error) throw fail(output.step ? `${output.step} ${parseExit(line.error)}` : line.error);
      built ||= typeof line.aux === 'object' && line.aux.ID !== undefined;
      output.take(line);
    }
  } catch (error) {
    if (error instanceof ImageBuildFailed) throw error;
    throw fail(signal.aborted ? describeAbort(signal, output.step) : errorMessage(error), error);
  }
  if (!built) throw fail('The Docker daemon ended the build without an image.');
}

/** The engine repeats the whole command, which is in the step already; only how it ended is new. */
function parseExit(error: string): string {
  const code = /(?:returned a non-zero code|exit code): (\d+)$/.exec(error.trim())?.[1];
  return code === undefined ? `failed: ${error}` : `ended with exit code ${code}.`;
}

function describeAbort(signal: AbortSignal, step: string): string {
  const late = (signal.reason as Error | undefined)?.name === 'TimeoutError';
  return `${step || 'It'} ${late ? 'did not finish within IMAGE_BUILD_SECONDS.' : 'was aborted.'}`;
}
