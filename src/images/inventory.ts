/** Lists our images on the engine, their sizes and their users. Read-only. */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import type { ListImagesOptions } from 'dockerode';
import pLimit from 'p-limit';
import { LABEL } from '../model/index.ts';
import type { DockerClient } from '../runtimes/docker/client.ts';
import { RuntimeDown } from '../runtimes/runtime.ts';
import type { ImageUsage } from '../store/index.ts';
import type { Layer } from './collect.ts';

/** The modules of an image, separated by commas. */
export const MODULES_LABEL = 'worker-manager.modules';
const OURS = `${LABEL.managed}=true`;
const NAME = /^worker:[0-9a-f]{12}$/;
/** Maximum number of concurrent image requests. */
const AT_ONCE = 4;

/** One of our images under one of its names; times in milliseconds since 1970. */
export interface StoredImage {
  name: string;
  id: string;
  agent_type: string;
  modules: string[];
  /** As `docker images` shows it, including shared layers. */
  size_bytes: number;
  layers: Layer[];
  created_at: number;
  /** Absent if no use is recorded. */
  last_used_at: number | undefined;
  /** IDs of the workers, and names of the other containers, that use it. */
  used_by: string[];
  /** Holders that are about to create a container from it. */
  held_by: string[];
  /** Names that a user has added, such as `worker:latest`. */
  other_names: string[];
}

/** Leftovers of our builds: unnamed stages whose result is part of an image. */
export interface Leftover {
  id: string;
  layers: Layer[];
  created_at: number;
}

export interface InventorySnapshot {
  images: StoredImage[];
  leftovers: Leftover[];
  /** Layers of all images that are not ours; they stay on disk whatever is removed. */
  foreign: Layer[];
}

export class Inventory {
  readonly #client: DockerClient;
  readonly #usage: ImageUsage;
  readonly #labels: string[];
  /** By image ID, because the layers of an ID never change. */
  #layers = new Map<string, Layer[]>();

  /** Only considers images that have all of `labels`. */
  constructor(client: DockerClient, usage: ImageUsage, labels: string[] = []) {
    this.#client = client;
    this.#usage = usage;
    this.#labels = [OURS, ...labels];
  }

  async read(): Promise<InventorySnapshot> {
    const [all, ours, containers] = await Promise.all([
      this.#list({}),
      this.#list({ label: this.#labels }),
      this.#containers(),
    ]);
    const layers = await this.#layersOf([...all, ...ours]);
    const named = ours.flatMap((image) =>
      (image.RepoTags ?? []).filter((tag) => NAME.test(tag)).map((name) => ({ name, image })),
    );
    const entries = await this.#usage.entries(named.map(({ name }) => name));
    const dangling = ours.filter(({ RepoTags }) => !RepoTags?.some((tag) => tag !== '<none>:<none>'));
    const known = new Set([...named.map(({ image }) => image.Id), ...dangling.map(({ Id }) => Id)]);
    return {
      images: named.map(({ name, image }) => {
        const entry = entries.get(name);
        return {
          name,
          id: image.Id,
          agent_type: image.Labels?.[LABEL.agentType] ?? '',
          modules: (image.Labels?.[MODULES_LABEL] ?? '').split(',').filter(Boolean),
          size_bytes: image.Size,
          layers: layers.get(image.Id) ?? [],
          // If a build came entirely from the cache, the engine reports the time when the cache was made.
          created_at: Math.max(image.Created * 1000, entry?.created_at ?? 0),
          last_used_at: entry?.last_used_at,
          used_by: containers.get(image.Id) ?? [],
          held_by: entry?.holders ?? [],
          other_names: (image.RepoTags ?? []).filter((tag) => !NAME.test(tag)),
        };
      }),
      leftovers: dangling
        .filter(({ Id }) => !containers.has(Id))
        .map(({ Id, Created }) => ({ id: Id, layers: layers.get(Id) ?? [], created_at: Created * 1000 })),
      foreign: all.filter(({ Id }) => !known.has(Id)).flatMap(({ Id }) => layers.get(Id) ?? []),
    };
  }

  async #list(filters: Record<string, string[]>): Promise<Docker.ImageInfo[]> {
    const found: unknown = await this.#client.call('list', (docker, abortSignal) =>
      docker.listImages({ filters, abortSignal } as ListImagesOptions),
    );
    // A truncated answer must not be read as an empty list.
    if (!Array.isArray(found)) throw new RuntimeDown("Docker's response to the list of images is invalid.");
    return found;
  }

  /** The workers and containers that use each image, in every cell, running or not. */
  async #containers(): Promise<Map<string, string[]>> {
    const found: unknown = await this.#client.call('list', (docker, abortSignal) =>
      docker.listContainers({ all: true, abortSignal }),
    );
    if (!Array.isArray(found))
      throw new RuntimeDown("Docker's response to the list of containers is invalid.");
    const users = new Map<string, string[]>();
    for (const { ImageID, Names, Labels, Id } of found as Docker.ContainerInfo[]) {
      const who = Labels?.[LABEL.workerId] ?? Names?.[0]?.slice(1) ?? Id.slice(0, 12);
      users.set(ImageID, [...(users.get(ImageID) ?? []), who]);
    }
    return users;
  }

  /** The layers of each image, requested once per process. */
  async #layersOf(images: Docker.ImageInfo[]): Promise<Map<string, Layer[]>> {
    const limit = pLimit(AT_ONCE);
    const ids = [...new Set(images.map(({ Id }) => Id))];
    const entries = ids.map((id) => limit(async () => [id, await this.#layersOfOne(id)] as const));
    this.#layers = new Map(await Promise.all(entries));
    return this.#layers;
  }

  async #layersOfOne(id: string): Promise<Layer[]> {
    const known = this.#layers.get(id);
    if (known) return known;
    try {
      return toLayers(
        await this.#client.call(
          'inspect',
          (docker) => docker.getImage(id).history() as Promise<HistoryStep[]>,
        ),
      );
    } catch (error) {
      // Removed since it was listed.
      if ((error as { status?: unknown }).status === 404) return [];
      throw error;
    }
  }
}

/** One step of an image's history; the engine reports the newest first. */
export interface HistoryStep {
  Created: number;
  CreatedBy: string;
  Size: number;
}

/**
 * Combines the layers of an image with their sizes, which the engine reports separately. Two images share a
 * layer if their histories are equal up to it, including times: cached steps keep theirs. Pure.
 */
export function toLayers(history: HistoryStep[]): Layer[] {
  let id = '';
  return history.toReversed().flatMap(({ Created, CreatedBy, Size }) => {
    id = computeHash(`${id}\0${Created}\0${CreatedBy}\0${Size}`);
    return Size > 0 ? [{ id, bytes: Size }] : [];
  });
}

const computeHash = (text: string) => createHash('sha256').update(text).digest('base64');
