/**
 * Stores the agent's conversation for the next incarnation: after each turn its files are stored in Redis as
 * one compressed archive, with the agent's ID of the conversation, and they are restored before a start.
 *
 * The files belong to the agent and are often readable only by it, so a helper command reads and writes them
 * as its user; a malicious archive can harm only the agent.
 */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ChainableCommander, Redis } from 'ioredis';
import { takeTail } from '../../src/model/values/cut.ts';
import type { Log } from '../log.ts';
import type { Privileges } from '../sandbox/privileges.ts';
import { type BegunTurn, hadTurns, readBegunTurns } from './turn-journal.ts';

/** Maximum size of an archive: weeks of compressed text, and little compared to the output in Redis. */
export const ARCHIVE_BYTES = 8 * 1024 ** 2;
/** Maximum size of the files before compression; conversations compress to a fifth or less. */
const FILES_BYTES = 16 * ARCHIVE_BYTES;
/** Timeout of a helper command for a few files; one that takes longer hangs. */
const HELPER_MS = 30_000;
const FETCH_AGAIN_MS = 200;

/** A conversation as stored in Redis. */
export interface PackedSession {
  session: string;
  /** Empty if the agent stores no files. */
  archive: Buffer;
}

/** What an earlier body has left of the conversation. */
export interface RestoredSession {
  session: string | undefined;
  /** There is a conversation, but it cannot be continued. */
  lost: boolean;
  /** The turns that it began and did not commit. */
  begun: BegunTurn[];
  /** Any body has begun a turn. */
  hadTurns: boolean;
}

export interface SessionArchiveOptions {
  redis: Redis;
  key: string;
  privileges: Pick<Privileges, 'helperCommand'>;
  home: string;
  /** Files and folders below `home`. */
  paths: string[];
  log: Log;
}

/** One worker's conversation in Redis. */
export class SessionArchive {
  readonly #options: SessionArchiveOptions;

  constructor(options: SessionArchiveOptions) {
    this.#options = options;
  }

  /** Reads the conversation; undefined if there is none, or if it cannot be archived, which is logged. */
  async pack(session: string | undefined): Promise<PackedSession | undefined> {
    if (session === undefined) return undefined;
    const { home, paths, privileges, log } = this.#options;
    const existing = paths.filter((path) => existsSync(join(home, path)));
    if (existing.length === 0) return { session, archive: Buffer.alloc(0) };
    try {
      const argv = privileges.helperCommand(['tar', '-cf', '-', '-C', home, '--', ...existing]);
      // 1: a file changed while it was read; the next turn's archive has all of it.
      const archive = await promisify(gzip)(await runHelper(argv, [0, 1]), { level: 1 });
      if (archive.length > ARCHIVE_BYTES) throw new Error(`it has ${archive.length} bytes`);
      return { session, archive };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.warn('failed to store the conversation; the next body resumes the previous one', {
        error: message,
        limit_bytes: ARCHIVE_BYTES,
      });
      return undefined;
    }
  }

  /** Adds the commands that store it to a transaction. */
  store(transaction: ChainableCommander, archived: PackedSession): void {
    transaction.hset(this.#options.key, { ...archived, kept_at: new Date().toISOString() });
  }

  /** Stores it. If Redis is away, the archive of the next turn has all of it. */
  async save(archived: PackedSession | undefined): Promise<void> {
    if (!archived) return;
    const transaction = this.#options.redis.multi();
    this.store(transaction, archived);
    await transaction.exec().catch(() => {});
  }

  /** Deletes it. If Redis is away, the next incarnation detects the loss. */
  async forget(): Promise<void> {
    await this.#options.redis.hdel(this.#options.key, 'session', 'archive', 'kept_at').catch(() => 0);
  }

  /** Restores the files. */
  async restore(signal: AbortSignal): Promise<RestoredSession> {
    const { privileges, home, log } = this.#options;
    const fields = (await this.#fetch(signal)) ?? {};
    const { session, archive } = fields;
    const before = { begun: readBegunTurns(fields), hadTurns: session !== undefined || hadTurns(fields) };
    if (!session) return { session: undefined, lost: false, ...before };
    try {
      if (archive && archive.length > 0) {
        const files = await promisify(gunzip)(archive, { maxOutputLength: FILES_BYTES });
        await runHelper(
          privileges.helperCommand(['tar', '-xf', '-', '-C', home, '--no-same-owner']),
          [0],
          files,
        );
      }
      return { session: session.toString('utf8'), lost: false, ...before };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.warn('failed to restore the conversation; starting a new one', { error: message });
      return { session: undefined, lost: true, ...before };
    }
  }

  /** Reads it and retries while Redis is away, because a start without it would lose it. */
  async #fetch(signal: AbortSignal): Promise<Record<string, Buffer> | undefined> {
    const { redis, key, log } = this.#options;
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        return await redis.hgetallBuffer(key);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (tries === 1) log.warn('loading the conversation', { key, error: message });
        await new Promise((resolve) => setTimeout(resolve, FETCH_AGAIN_MS));
      }
    }
    return undefined;
  }
}

/** Runs a program to its end; returns its stdout. */
function runHelper([program = '', ...args]: string[], codes: number[], input?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // In a group of its own, which a stop of the body does not signal: it stores the last turn.
    const options = { detached: true, timeout: HELPER_MS, killSignal: 'SIGKILL' } as const;
    const child = spawn(program, args, { ...options, stdio: 'pipe' });
    const parts: Buffer[] = [];
    let bytes = 0;
    let errorText = '';
    child.once('error', reject);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.stdout.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= FILES_BYTES) parts.push(part);
      else child.kill('SIGKILL');
    });
    child.stderr.on('data', (part: Buffer) => {
      errorText = takeTail(errorText + part.toString('latin1').replace(/[^\x20-\x7e]+/g, ' '), 500);
    });
    child.once('close', (code, signal) => {
      if (bytes > FILES_BYTES) reject(new Error(`it has more than ${FILES_BYTES} bytes`));
      else if (code !== null && codes.includes(code)) resolve(Buffer.concat(parts));
      else
        reject(
          new Error(
            `${args.includes('-cf') ? 'tar -c' : 'tar -x'} exited with ${code ?? signal}: ${errorText.trim()}`,
          ),
        );
    });
  });
}
