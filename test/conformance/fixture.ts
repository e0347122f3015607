import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Body, BodyState } from '../../src/model/index.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import type { Ability, Program, Subject } from './subject.ts';

export const PATIENCE = { timeout: 15_000, interval: 20 };

/** The checks that a runtime does not support, each with the reason that is printed. */
export type Skip = Partial<Record<Ability, string>>;

/** The subject of the running test, one worker of it, and the steps that many tests share. */
export class ConformanceFixture {
  subject!: Subject;
  /** The manager under test; a test may continue with another one. */
  runtime!: Runtime;
  /** The ID of a worker that no other test uses. */
  worker!: string;
  readonly #name: string;
  readonly #skip: Skip;

  /** Registers the hooks that open and close the subject of each test. */
  constructor(name: string, makeSubject: () => Promise<Subject>, skip: Skip) {
    this.#name = name;
    this.#skip = skip;
    beforeEach(async () => {
      this.subject = await makeSubject();
      this.runtime = this.subject.runtime;
      this.worker = randomUUID();
    });
    afterEach(() => this.subject?.close());
  }

  /** A test that needs an ability of the runtime. */
  readonly needs = (ability: Ability, title: string, body: () => Promise<void>): void => {
    const reason = this.#skip[ability];
    if (reason !== undefined) console.info(`skipped for ${this.#name}: "${title}": ${reason}`);
    const shown = reason === undefined ? title : `${title} (skipped: ${reason})`;
    test(shown, { skip: reason !== undefined }, body);
  };

  readonly make = (program: Program): Promise<Body> =>
    this.runtime.create(this.subject.order(this.worker, program));

  readonly find = async (): Promise<Body | undefined> => (await this.runtime.find(this.worker, undefined))[0];

  readonly reach = (state: BodyState): Promise<Body> =>
    vi.waitFor(async () => {
      const body = await this.find();
      expect(body?.state).toBe(state);
      return body as Body;
    }, PATIENCE);

  /** Until the program is ready for signals. */
  readonly run = async (program: Program): Promise<Body> => {
    const { id } = await this.make(program);
    await this.runtime.start(id);
    const body = await this.reach('running');
    await this.subject.settled(body);
    return body;
  };

  readonly runToEnd = async (program: Program): Promise<Body> => {
    const { id } = await this.make(program);
    await this.runtime.start(id);
    return this.reach('exited');
  };
}
