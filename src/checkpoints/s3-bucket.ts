/** The few operations of S3 that checkpoints need, with the client of AWS, which is loaded with the first of them. */

import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { type CheckpointPlace, Fault } from '../model/index.ts';

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

export class S3Bucket {
  readonly #place: Place;
  #opened: Promise<{ s3: S3Client; library: Library }> | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  /** `length` is that of a stream. */
  async put(key: string, body: string | Readable, length = Buffer.byteLength(String(body))): Promise<void> {
    const { s3, library } = await this.#open();
    await s3.send(new library.PutObjectCommand({ ...this.#at(key), Body: body, ContentLength: length }));
  }

  /** Undefined if there is none. */
  async get(key: string): Promise<Readable | undefined> {
    const { s3, library } = await this.#open();
    const found = await ifAny<GetObjectCommandOutput>(s3.send(new library.GetObjectCommand(this.#at(key))));
    return found?.Body as Readable | undefined;
  }

  async getText(key: string): Promise<string | undefined> {
    const body = await this.get(key);
    if (!body) return undefined;
    const parts: Buffer[] = [];
    for await (const part of body as AsyncIterable<Buffer>) parts.push(part);
    return Buffer.concat(parts).toString();
  }

  async list(prefix = ''): Promise<S3Object[]> {
    const { s3, library } = await this.#open();
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
        all.push({ key: Key.slice(this.#place.prefix.length), size: Size, at: LastModified?.getTime() ?? 0 });
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return all;
  }

  /** Deletes objects one after the other, which every server can; those that do not exist do not matter. */
  async remove(keys: readonly string[]): Promise<void> {
    const { s3, library } = await this.#open();
    for (const key of keys) await s3.send(new library.DeleteObjectCommand(this.#at(key)));
  }

  #at(key: string) {
    return { Bucket: this.#place.bucket, Key: `${this.#place.prefix}${key}` };
  }

  #open(): Promise<{ s3: S3Client; library: Library }> {
    this.#opened ??= load(this.#place).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}

async function load({ endpoint, region }: Place): Promise<{ s3: S3Client; library: Library }> {
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
    // Other servers than Amazon's do not know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { s3, library };
}

/** The result, or `undefined` if the object does not exist. */
async function ifAny<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (error) {
    const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
    if (name === 'NoSuchKey' || name === 'NotFound' || $metadata?.httpStatusCode === 404) return undefined;
    throw error;
  }
}
