/** Runs one build on the engine and reports its steps; for a failed step, also its last lines. */
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
  /** The folder created by `writeBuildContext`. */
  directory: string;
  name: string;
  labels: Record<string, string>;
  /** Values of the Dockerfile's `ARG`; never secrets, because the build cache would store them. */
  args?: Record<string, string>;
  signal: AbortSignal;
  onStep(progress: BuildProgress): void;
}

/** The build failed, or could not start. The message is for people and contains no secret. */
export class ImageBuildFailed extends Error {
  override name = 'ImageBuildFailed';
  /** The failed step, as the builder printed it; empty if none had started. */
  readonly step: string;
  /** The lines of its output that explain the failure. */
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
 * A number, because dockerode opens a gRPC session for the string '2'. The session would serve files and
 * credentials of the client; here the context is part of the request and the base image is present.
 */
const BUILDKIT = { version: 2 as unknown as '2' };

/** How npm, pip, curl and git report an untrusted certificate. */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERTIFICATE_VERIFY_FAILED|certificate verify failed|server certificate/i;
const UNTRUSTED_HINT =
  'The registry has an untrusted certificate, as behind a proxy that inspects TLS: set WORKER_BUILD_CA to a file with the certificates to trust.';

/** Builds with one of the engine's builders, whose cache skips repeated steps. Throws `ImageBuildFailed`. */
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

/** The engine repeats the whole command, which the step already shows; returns only how it ended. */
function parseExit(error: string): string {
  const code = /(?:returned a non-zero code|exit code): (\d+)$/.exec(error.trim())?.[1];
  return code === undefined ? `failed: ${error}` : `ended with exit code ${code}.`;
}

function describeAbort(signal: AbortSignal, step: string): string {
  const late = (signal.reason as Error | undefined)?.name === 'TimeoutError';
  return `${step || 'It'} ${late ? 'did not finish within IMAGE_BUILD_SECONDS.' : 'was aborted.'}`;
}
