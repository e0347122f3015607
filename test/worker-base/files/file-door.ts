/** The door of a body on this machine, and requests for its files. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { WorkerSpec } from '../../../src/model/worker/spec.ts';
import { type ExecDoor, openExecDoor } from '../exec/exec-door.ts';

/** A JSON answer. */
export type Answer = { [field: string]: unknown; error?: { code: string; reason?: string } };

export const PATIENCE = { timeout: 10_000, interval: 10 };

export class FileDoor {
  door!: ExecDoor;
  /** A folder outside of the workspace. */
  elsewhere!: string;

  /** A new one for each test; or one for all tests of the file, whose folders are empty before each of them. */
  constructor({ shared = false }: { shared?: boolean } = {}) {
    (shared ? beforeAll : beforeEach)(() => this.open());
    (shared ? afterAll : afterEach)(() => this.#close());
    if (shared) beforeEach(() => this.#clear());
  }

  #clear(): void {
    for (const folder of [this.door.workspace, this.elsewhere])
      for (const name of readdirSync(folder, { encoding: 'buffer' }))
        rmSync(Buffer.concat([Buffer.from(`${folder}/`), name]), { recursive: true, force: true });
  }

  #close(): void {
    this.door?.close();
    if (this.elsewhere) rmSync(this.elsewhere, { recursive: true, force: true });
  }

  /** Opens a body with these fields in place of the last one. */
  async open(spec: Partial<WorkerSpec> = {}): Promise<void> {
    this.#close();
    this.door = await openExecDoor(spec);
    this.elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  }

  readonly at = (name: string): string => join(this.door.workspace, name);

  readonly put = async (
    path: string,
    body: Buffer | string | Readable,
    query = '',
    conditions: Record<string, string> = {},
  ): Promise<{ status: number | undefined; body: Answer }> => {
    // As the manager's connections are.
    const headers = { connection: 'keep-alive', ...conditions };
    const response = await this.door.send('PUT', `/files/${path}${query}`, { body, headers });
    return { status: response.statusCode, body: (await json(response)) as Answer };
  };

  readonly get = async (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }> => {
    const response = await this.door.send('GET', path, { headers });
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  };

  /** The status, code and reason of a response. */
  readonly fault = async (method: string, path: string): Promise<unknown[]> => {
    const { status, body } = await this.door.ask(method, path);
    return [status, body.error?.code, body.error?.reason];
  };
}
