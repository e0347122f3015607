/**
 * The workers' images: which image a spec needs, whether it is present, and how to build it. The engine is
 * queried each time, and its answers are cached for seconds only. A build belongs to this process and dies
 * with it; the next process continues from the engine's cache.
 *
 * Invariants: at most one build per name runs in this process, regardless of the number of callers; a failed
 * build is reported with its reason until another is requested. Imports neither the store nor the loop.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { errorMessage, type ImageState, type WorkerSpec } from '../model/index.ts';
import { DockerClient, type ObserveCall, toConnection } from '../runtimes/docker/client.ts';
import { findBase, inspectImage, pullBase } from './base.ts';
import { type BuildProgress, buildImage } from './build.ts';
import { toImageLabels, toPipArguments } from './build-values.ts';
import { builderOf } from './builder.ts';
import { machineCa } from './ca.ts';
import { writeBuildContext } from './context.ts';
import { imageName } from './image-name.ts';
import { Jobs } from './jobs.ts';
import { type BuildInputs, createRecipe, type Recipe } from './recipe.ts';
import { hashSources, SOURCES, type Sources } from './sources.ts';

export interface ImagesOptions {
  /** `unix:///path`, `/path`, `tcp://host:port`. */
  host: string;
  /** The program's own version, for a label. */
  version: string;
  /** WORKER_BASE_IMAGE. */
  baseImage?: string | undefined;
  /**
   * WORKER_BUILD_CA: a file of certificates for the build only. Defaults to the machine's own; `/dev/null`
   * for none.
   */
  ca?: string | undefined;
  /** PIP_INDEX_URL: the index for Python packages, instead of PyPI. */
  pipIndexUrl?: string | undefined;
  /** Maximum duration of one build. */
  buildMs?: number;
  sources?: Sources;
  /** Called for each call to the engine. */
  observe?: ObserveCall;
  /** Called when a build has ended. */
  built?: (result: 'built' | 'failed' | 'refused', seconds: number) => void;
  /** Called when the state of the image with that name has changed. */
  onChange?: (name: string) => void;
  /**
   * The clock for the times of failed builds: milliseconds since 1970, as the readers of the record use it.
   */
  now?: () => number;
  /** Called before a build; returns why there is not enough disk space. */
  diskSpaceError?: () => Promise<string | undefined>;
}

export interface Images {
  /** Cheap enough for every reconcile; never builds. */
  state(spec: WorkerSpec): Promise<ImageState>;
  /** Ensures that the image is built, and returns at once. A second caller joins. */
  build(spec: WorkerSpec): void;
  /**
   * Like `build`, but waits: returns the image's name, or throws `ImageBuildFailed` or an error with a
   * reason.
   */
  buildNow(spec: WorkerSpec, onProgress?: (progress: BuildProgress) => void): Promise<string>;
  recipe(spec: WorkerSpec): Promise<Recipe>;
  /** Whether something is being built or pulled now. */
  readonly busy: boolean;
  /** Aborts the active builds. */
  close(): Promise<void>;
}

/** How long answers of the engine and the disk are cached. The end of a build invalidates them. */
const GROUND_MS = 10_000;
const PRESENT_MS = 3000;
/** Half an hour, enough for two agents' CLIs over a slow connection. */
const BUILD_MS = 1_800_000;

type Failure = Extract<ImageState, { kind: 'failed' }>;
/** The build was refused because the disk is full. */
class InsufficientDiskSpace extends Error {}

export function createImages(options: ImagesOptions): Images {
  return new EngineImages(options);
}

class EngineImages implements Images {
  readonly #options: ImagesOptions;
  readonly #client: DockerClient;
  readonly #docker: Docker;
  readonly #closing = new AbortController();
  readonly #jobs: Jobs<Failure>;
  readonly #present = new Map<string, number>();
  #ground: { until: number; found: Promise<BuildInputs | { missing: string }> } | undefined;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#client = new DockerClient({ host: options.host, observe: options.observe });
    this.#docker = new Docker(toConnection(options.host));
    this.#jobs = new Jobs(
      (name) => this.#options.onChange?.(name),
      (name, error) =>
        this.#closing.signal.aborted ? undefined : toFailure(name, error, (this.#options.now ?? Date.now)()),
    );
  }

  async state(spec: WorkerSpec): Promise<ImageState> {
    // Not ours: the engine reports a missing image when a body is created from it.
    if (spec.image !== undefined) return { kind: 'ready', name: spec.image };
    try {
      const ground = await this.#resolveInputs();
      const name = 'missing' in ground ? ground.missing : imageName(createRecipe(spec, ground));
      const progress = this.#jobs.progress(name);
      if (progress) return { kind: 'building', name, step: progress.line };
      if (!('missing' in ground) && (await this.#isPresent(name))) return { kind: 'ready', name };
      return this.#jobs.failure(name) ?? { kind: 'absent', name };
    } catch (error) {
      return { kind: 'unknown', error: errorMessage(error) };
    }
  }

  build(spec: WorkerSpec): void {
    // `state` reports a failure.
    this.buildNow(spec).catch(() => undefined);
  }

  async buildNow(spec: WorkerSpec, onProgress?: (progress: BuildProgress) => void): Promise<string> {
    const ground = await this.#resolveInputs();
    if ('missing' in ground) {
      const { missing } = ground;
      const pull = () => pullBase(this.#docker, missing, this.#deadline());
      await this.#jobs.join(missing, `Pulling ${missing}`, pull, onProgress);
    }
    const recipe = await this.recipe(spec);
    const name = imageName(recipe);
    if (this.#jobs.progress(name) || !(await this.#isPresent(name))) {
      const make = (report: (progress: BuildProgress) => void) => this.#make(name, recipe, report);
      await this.#jobs.join(name, 'Waiting for another build', make, onProgress);
    }
    return name;
  }

  async recipe(spec: WorkerSpec): Promise<Recipe> {
    const ground = await this.#resolveInputs();
    if ('missing' in ground) throw new Error(`The base image ${ground.missing} does not exist here yet.`);
    return createRecipe(spec, ground);
  }

  get busy(): boolean {
    return this.#jobs.busy;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#jobs.settled();
    this.#client.close();
  }

  /** The base, the processor and the wrapper, at most a few seconds old. */
  #resolveInputs(): Promise<BuildInputs | { missing: string }> {
    if (!this.#ground || this.#ground.until < performance.now()) {
      const found = this.#resolveInputsNow();
      const ground = { until: performance.now() + GROUND_MS, found };
      this.#ground = ground;
      found
        .then((seen) => 'missing' in seen)
        .catch(() => true)
        .then((again) => {
          if (again && this.#ground === ground) this.#ground = undefined;
        });
    }
    return this.#ground.found;
  }

  async #resolveInputsNow(): Promise<BuildInputs | { missing: string }> {
    const wrapper = await hashSources(this.#options.sources ?? SOURCES);
    const found = await findBase(this.#client, this.#options.baseImage);
    return 'missing' in found ? found : { ...found, wrapper };
  }

  async #isPresent(name: string): Promise<boolean> {
    if ((this.#present.get(name) ?? 0) > performance.now()) return true;
    this.#present.delete(name);
    if (!(await inspectImage(this.#client, name))) return false;
    this.#jobs.clearFailure(name);
    this.#present.set(name, performance.now() + PRESENT_MS);
    return true;
  }

  async #make(name: string, recipe: Recipe, report: (progress: BuildProgress) => void): Promise<void> {
    // Another manager has built it, or an earlier build ended after this one was requested.
    if (await this.#isPresent(name)) return;
    const began = performance.now();
    const end = (result: 'built' | 'failed' | 'refused') =>
      this.#options.built?.(result, (performance.now() - began) / 1000);
    const full = await this.#options.diskSpaceError?.();
    if (full) {
      end('refused');
      throw new InsufficientDiskSpace(full);
    }
    const directory = await mkdtemp(join(tmpdir(), 'worker-image-'));
    try {
      const { sources = SOURCES, ca = machineCa(), pipIndexUrl } = this.#options;
      await writeBuildContext(recipe, directory, { sources, ca });
      const labels = toImageLabels(recipe, this.#options.version);
      const args = toPipArguments(recipe, pipIndexUrl);
      const builder = await builderOf(this.#docker);
      const order = { builder, directory, name, labels, args, signal: this.#deadline(), onStep: report };
      await buildImage(this.#docker, order);
      this.#present.set(name, performance.now() + PRESENT_MS);
      end('built');
    } catch (error) {
      end('failed');
      throw error;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#options.buildMs ?? BUILD_MS)]);
  }
}

function toFailure(name: string, error: unknown, at: number): Failure {
  const reason = error instanceof InsufficientDiskSpace ? 'Capacity' : 'ImageBuildFailed';
  return { kind: 'failed', name, at, reason, message: errorMessage(error) };
}
