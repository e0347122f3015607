/** The few operations of S3 that checkpoints need, with the client of AWS, which is loaded with the first of them. */

import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { type CheckpointPlace, Fault } from '../model/index.ts';
import { isMissing, isTemporary, toS3Fault } from './s3-errors.ts';

/** An object of a listing. */
export interface S3Object {
  /** Without the prefix of the bucket. */
  key: string;
  size: number;
  /** When it was written, in milliseconds since 1970. */
  at: number;
}

/** For servers that need none; signatures contain one. */
const ANY_REGION = 'us-east-1';

type Place = Extract<CheckpointPlace, { kind: 's3' }>;
type Library = typeof import('@aws-sdk/client-s3');
type Opened = { s3: S3Client; library: Library };

/** Before an archive is sent again, in milliseconds. */
const STREAM_PAUSES_MS = [200, 1000];
/** A server that does not accept a connection, or takes or sends no byte, for this time in milliseconds is away. */
const CONNECTION_MS = 10_000;
const SILENCE_MS = 120_000;

export class S3Bucket {
  readonly #place: Place;
  readonly #silenceMs: number;
  #opened: Promise<Opened> | undefined;

  constructor(place: Place, silenceMs: number = SILENCE_MS) {
    this.#place = place;
    this.#silenceMs = silenceMs;
  }

  put(key: string, content: string): Promise<void> {
    return this.#run(async ({ s3, library }) => {
      const length = Buffer.byteLength(content);
      await s3.send(new library.PutObjectCommand({ ...this.#at(key), Body: content, ContentLength: length }));
    });
  }

  /** Sends a stream of `length` bytes. After a temporary failure, `open` is called again: the client cannot repeat a stream. */
  putStream(key: string, open: () => Readable, length: number): Promise<void> {
    return this.#run(async ({ s3, library }) => {
      for (const pause of [...STREAM_PAUSES_MS, undefined]) {
        const body = open();
        try {
          await s3.send(
            new library.PutObjectCommand({ ...this.#at(key), Body: body, ContentLength: length }),
          );
          return;
        } catch (error) {
          if (pause === undefined || !isTemporary(error)) throw error;
          await delay(pause);
        } finally {
          body.destroy();
        }
      }
    });
  }

  /** Undefined if there is none. `range` has the first and the last byte. */
  get(key: string, range?: { from: number; to: number }): Promise<Readable | undefined> {
    return this.#run(async ({ s3, library }) => {
      try {
        const found = await s3.send(
          new library.GetObjectCommand({
            ...this.#at(key),
            ...(range && { Range: `bytes=${range.from}-${range.to}` }),
          }),
        );
        return found.Body as Readable | undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async getText(key: string): Promise<string | undefined> {
    const body = await this.get(key);
    return body && this.#run(() => text(body));
  }

  list(prefix = ''): Promise<S3Object[]> {
    return this.#run(async ({ s3, library }) => {
      const all: S3Object[] = [];
      let token: string | undefined;
      do {
        const page = await s3.send(
          new library.ListObjectsV2Command({
            Bucket: this.#place.bucket,
            Prefix: `${this.#place.prefix}${prefix}`,
            ...(token !== undefined && { ContinuationToken: token }),
          }),
        );
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? [])
          all.push({
            key: Key.slice(this.#place.prefix.length),
            size: Size,
            at: LastModified?.getTime() ?? 0,
          });
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return all;
    });
  }

  /** Deletes objects one after the other, which every server can; those that do not exist do not matter. */
  remove(keys: readonly string[]): Promise<void> {
    return this.#run(async ({ s3, library }) => {
      for (const key of keys) await s3.send(new library.DeleteObjectCommand(this.#at(key)));
    });
  }

  /** Errors of the client become Faults. */
  async #run<T>(act: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      return await act(await this.#open());
    } catch (error) {
      throw toS3Fault(error, this.#place);
    }
  }

  #at(key: string) {
    return { Bucket: this.#place.bucket, Key: `${this.#place.prefix}${key}` };
  }

  #open(): Promise<Opened> {
    this.#opened ??= load(this.#place, this.#silenceMs).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}

async function load({ endpoint, region }: Place, silenceMs: number): Promise<Opened> {
  const library = await import('@aws-sdk/client-s3').catch((cause: unknown) => {
    throw new Fault(
      'unsupported',
      'CHECKPOINT_DIR is a URL of S3, but the package @aws-sdk/client-s3 is not installed: install it beside worker-manager.',
      { cause },
    );
  });
  const s3 = new library.S3Client({
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true, region: region ?? ANY_REGION }),
    ...(endpoint === undefined && region !== undefined && { region }),
    // Without one, it writes warnings to the console.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    requestHandler: { connectionTimeout: CONNECTION_MS, socketTimeout: silenceMs },
    // Other servers than Amazon's do not know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { s3, library };
}
