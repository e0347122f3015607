/** One build by the engine: steps as they begin, and of a failing one the step and its last lines. */
import { readdir } from 'node:fs/promises';
import type Docker from 'dockerode';
import { messageOf } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';
import { readStream } from './engine-stream.ts';

export interface Progress {
  /** The step that has begun, and how many there are; 0 of 0 before the first. */
  step: number;
  of: number;
  /** The builder's own line on the step, such as `Step 3/12 : RUN apt-get …`. */
  line: string;
}

export interface BuildOrder {
  /** The folder that `writeContext` made. */
  directory: string;
  name: string;
  labels: Record<string, string>;
  signal: AbortSignal;
  onStep(progress: Progress): void;
}

/** The build failed, or could not begin. The message is for people, and holds no secret. */
export class ImageBuildFailed extends Error {
  override name = 'ImageBuildFailed';
  /** The step that failed, as the builder wrote it; empty where none had begun. */
  readonly step: string;
  /** The last lines that it printed. */
  readonly tail: string[];
  constructor(image: string, why: string, step: string, tail: string[], options?: ErrorOptions) {
    const hint = tail.some((line) => UNTRUSTED.test(line)) ? [UNTRUSTED_HINT] : [];
    super([`${image} could not be built: ${why}`, ...tail, ...hint].join('\n'), options);
    this.step = step;
    this.tail = tail;
  }
}

/** Lines of a failing step that are kept, and characters of each: enough for the error of apt, npm or gcc. */
const TAIL_LINES = 15;
const LINE_LENGTH = 300;
const STEP = /^Step (\d+)\/(\d+) : /;
/** What the builder says of itself. */
const NOISE = /^( ---> |Removing intermediate container )/;
/** How npm, pip, curl and git call a certificate that they do not know. */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERTIFICATE_VERIFY_FAILED|certificate verify failed|server certificate/i;
const UNTRUSTED_HINT =
  'The registry showed a certificate that is not trusted, as behind a proxy that inspects TLS: set WORKER_BUILD_CA to a file with the certificates to trust.';

/** Builds with the engine's classic builder, whose cache makes repeated steps free. Throws `ImageBuildFailed`. */
export async function buildImage(docker: Docker, order: BuildOrder): Promise<void> {
  const { directory, name, labels, signal } = order;
  let step = '';
  let tail: string[] = [];
  let built = false;
  const fail = (why: string, cause?: unknown) =>
    new ImageBuildFailed(name, clean(why), step, tail, { cause });
  try {
    const src = await readdir(directory);
    const options = { t: name, labels, rm: true, forcerm: true, abortSignal: signal };
    const stream = await docker.buildImage({ context: directory, src }, options);
    for await (const told of readStream(stream)) {
      if (told.error) throw fail(step ? `${step} ${exitOf(told.error)}` : told.error);
      built ||= told.aux?.ID !== undefined;
      for (const line of linesOf(told.stream ?? told.status ?? '')) {
        const [, number, of] = STEP.exec(line) ?? [];
        if (number !== undefined) {
          step = line;
          tail = [];
          order.onStep({ step: Number(number), of: Number(of), line });
        } else if (!NOISE.test(line)) {
          tail = [...tail, line].slice(-TAIL_LINES);
        }
      }
    }
  } catch (error) {
    if (error instanceof ImageBuildFailed) throw error;
    throw fail(signal.aborted ? abortOf(signal, step) : messageOf(error), error);
  }
  if (!built) throw fail('The Docker daemon ended the build without an image.');
}

/** The engine repeats the whole command, which is in the step already; only how it ended is new. */
function exitOf(error: string): string {
  const code = /returned a non-zero code: (\d+)$/.exec(error.trim())?.[1];
  return code === undefined ? `failed: ${error}` : `ended with exit code ${code}.`;
}

function abortOf(signal: AbortSignal, step: string): string {
  const late = (signal.reason as Error | undefined)?.name === 'TimeoutError';
  return `${step || 'It'} ${late ? 'was not done in the time a build may take (IMAGE_BUILD_SECONDS).' : 'was broken off.'}`;
}

function linesOf(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => clean(line).trimEnd())
    .filter((line) => line !== '');
}

/** Without control sequences and credentials, and no longer than a line should be. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const bare = text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return redactText(bare.slice(0, LINE_LENGTH));
}
