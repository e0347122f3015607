/**
 * The store in memory: what its scripts promise, without Redis. It passes the same suite as the real one
 * (`test/store/store-suite.ts`), and the properties of the loop stand on it.
 *
 * Everything goes through JSON on its way in, so that nothing is shared and what is undefined is gone.
 */
import {
  type DesiredRecord,
  type DesiredState,
  formatInstant,
  type Heartbeat,
  hasEnded,
  type LifecycleEvent,
  type Memo,
  type StatusRecord,
  type StoreIdentity,
  type WorkerRecord,
} from '../../src/model/index.ts';
import {
  type CommandOutcome,
  type CommandSettlement,
  Fenced,
  type IndexState,
  type Store,
} from '../../src/store/index.ts';

/** The parts of the store that the loop uses. */
export type LoopStore = Pick<
  Store,
  | 'load'
  | 'status'
  | 'record'
  | 'purge'
  | 'leads'
  | 'indexState'
  | 'index'
  | 'ids'
  | 'heartbeats'
  | 'identity'
  | 'identify'
  | 'restore'
  | 'repair'
  | 'adopt'
  | 'anyKnown'
  | 'anyHeartbeat'
  | 'workspaceUsers'
>;

interface Desired {
  /** Missing in a tombstone. */
  spec?: DesiredRecord['spec'];
  desired: DesiredState;
  generation: number;
  created_at: string;
  request_id: string;
  workspace?: string;
}

const copy = <T>(value: T): T => structuredClone(value);
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));

export class MemoryStore implements LoopStore {
  /** Every reply, in order. */
  readonly answers: unknown[] = [];
  readonly #now: () => number;
  #epoch = 0;
  #revision = 0;
  #identity: StoreIdentity | undefined;
  readonly #desired = new Map<string, Desired>();
  readonly #status = new Map<string, { status: StatusRecord; memo: Memo | undefined; revision: number }>();
  readonly #index = new Map<string, string>();
  readonly #created = new Map<string, number>();
  readonly #requests = new Map<string, { text: string; fingerprint: string }>();
  readonly #heartbeats = new Map<string, Heartbeat>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A new leader; there is no lease here, so that it deposes the one before. */
  acquire(): number {
    this.#epoch = Math.max(this.#now(), this.#epoch + 1);
    return this.#epoch;
  }

  /** What a command comes to, as `accept.lua` settles it. */
  async settle(
    epoch: number,
    {
      requestId,
      workerId: id = '',
      operation,
      answers,
      fingerprint = '',
      ...what
    }: Omit<CommandSettlement, 'entry' | 'replyTo'>,
  ): Promise<CommandOutcome> {
    this.#fence(epoch);
    const answer = (outcome: CommandOutcome, text: string | undefined): CommandOutcome => {
      if (text !== undefined) this.answers.push(JSON.parse(text));
      if (text !== undefined && outcome !== 'repeated' && operation !== 'later' && operation !== 'read')
        this.#requests.set(requestId, { text, fingerprint });
      return outcome;
    };
    const before = this.#requests.get(requestId);
    if (before !== undefined) {
      const differs = before.fingerprint !== '' && fingerprint !== '' && before.fingerprint !== fingerprint;
      const told = differs ? `${before.text.slice(0, -1)},"differs":true}` : this.#dated(before.text);
      return answer('repeated', told);
    }
    const record = this.#desired.get(id);
    if (operation === 'create') {
      if (record) return answer('conflict', answers.conflict);
      const holder = this.#holder(what.created?.spec.name, id);
      if (holder) return answer('name_taken', answers.name_taken?.replace('@holder@', holder));
      const { spec, at, ms } = what.created ?? { spec: undefined as never, at: '', ms: 0 };
      const made = { spec: plain(spec), generation: 0, created_at: at, request_id: requestId };
      this.#created.set(id, ms);
      this.#write(id, { ...made, desired: 'running' });
    } else if (operation === 'desire' || operation === 'restart') {
      const desired = what.desired ?? 'running';
      if (!record) return answer('not_found', answers.not_found);
      if (what.ifGeneration !== undefined && what.ifGeneration !== record.generation)
        return answer('stale', answers.stale?.replaceAll('@generation@', String(record.generation)));
      if (record.desired === 'deleted' && desired !== 'deleted') return answer('conflict', answers.conflict);
      if (record.desired === desired && desired !== 'running') return answer('same', answers.ok);
      const holder = desired === 'running' ? this.#holder(record.spec?.name, id) : undefined;
      if (holder) return answer('name_taken', answers.name_taken?.replace('@holder@', holder));
      const incarnation = this.#status.get(id)?.status.incarnation ?? 0;
      const replaced = operation === 'restart' && { min_incarnation: incarnation + 1 };
      this.#write(id, { ...record, desired, ...replaced });
    }
    return answer('ok', answers.ok);
  }

  /** The living worker of that name, if another one has it. */
  #holder(name: string | undefined, id: string): string | undefined {
    if (name === undefined) return undefined;
    const living = ([other, { spec, desired, generation }]: [string, Desired]) => {
      if (other === id || spec?.name !== name || desired === 'deleted') return false;
      const status = this.#status.get(other)?.status;
      return !(hasEnded(status?.status) && status?.observed_generation === generation);
    };
    return [...this.#desired].find(living)?.[0];
  }

  #dated(before: string): string {
    const { success, command, worker_id } = JSON.parse(before);
    if (!success || !['create', 'start', 'restart', 'stop'].includes(command)) return before;
    const { spec, desired } = this.#desired.get(worker_id) ?? {};
    return spec && desired !== 'deleted' ? before : `${before.slice(0, -1)},"worker_deleted":true}`;
  }

  #write(id: string, record: Desired): void {
    const generation = record.generation + 1;
    this.#desired.set(id, { ...record, generation });
    this.#index.set(id, `${generation}.${this.#status.get(id)?.revision ?? 0}`);
    this.#revision += 1;
  }

  async load(id: string): Promise<{ record: WorkerRecord; heartbeat: Heartbeat | undefined } | undefined> {
    const desired = this.#desired.get(id);
    if (!desired?.spec) return undefined;
    const { status, memo, revision = 0 } = this.#status.get(id) ?? {};
    const record = { id, desired: desired as DesiredRecord, status, memo, revision };
    return copy({ record, heartbeat: this.#heartbeats.get(id) });
  }

  async status(id: string): Promise<{ desired: DesiredState; status: StatusRecord | undefined } | undefined> {
    const desired = this.#desired.get(id)?.desired;
    return desired && copy({ desired, status: this.#status.get(id)?.status });
  }

  async record(
    epoch: number,
    read: WorkerRecord,
    next: { status: StatusRecord; memo: Memo; event: LifecycleEvent | undefined },
  ): Promise<'ok' | 'conflict' | 'gone'> {
    this.#fence(epoch);
    const desired = this.#desired.get(read.id);
    if (!desired?.spec) return 'gone';
    if (desired.generation !== read.desired.generation) return 'conflict';
    const revision = this.#status.get(read.id)?.revision ?? 0;
    if (revision !== read.revision) return 'conflict';
    this.#status.set(read.id, { ...plain({ status: next.status, memo: next.memo }), revision: revision + 1 });
    this.#index.set(read.id, `${desired.generation}.${revision + 1}`);
    this.#revision += 1;
    return 'ok';
  }

  async purge(epoch: number, read: WorkerRecord): Promise<'ok' | 'conflict' | 'gone'> {
    this.#fence(epoch);
    const record = this.#desired.get(read.id);
    if (!record?.spec) return 'gone';
    if (record.generation !== read.desired.generation) return 'conflict';
    const { spec: _, ...tombstone } = record;
    this.#desired.set(read.id, { ...tombstone, desired: 'deleted' });
    for (const map of [this.#index, this.#created, this.#heartbeats]) map.delete(read.id);
    this.#revision += 1;
    return 'ok';
  }

  async workspaceUsers(ids: readonly string[]): Promise<Map<string, string>> {
    const users = ids.map((id) => [this.#desired.get(id)?.workspace ?? '', id] as const);
    return new Map(users.filter(([workspace]) => workspace !== ''));
  }

  async leads(epoch: number): Promise<boolean> {
    return epoch === this.#epoch;
  }

  async indexState(): Promise<IndexState> {
    const [listed, indexed] = [this.#created.size, this.#index.size];
    const seen = { revision: String(this.#revision), identity: this.#identity?.id ?? null };
    return { ...seen, listed, indexed, names: true, pools: true };
  }

  /** Nothing is ever lost here one by one. */
  readonly repair = {
    reindex: async () => 0,
    lacking: async () => ({ records: [], statuses: [] }),
    recorded: async () => false,
    forget: async () => false,
    lastReported: async () => undefined,
  } as unknown as Store['repair'];

  async adopt(epoch: number, identity: StoreIdentity): Promise<void> {
    this.#fence(epoch);
    this.#identity = identity;
  }

  async anyKnown(ids: string[]): Promise<boolean> {
    return ids.some((id) => this.#desired.has(id));
  }

  async anyHeartbeat(ids: string[]): Promise<boolean> {
    return ids.some((id) => this.#heartbeats.has(id));
  }

  async index(): Promise<Record<string, string>> {
    return Object.fromEntries(this.#index);
  }

  async ids(): Promise<string[]> {
    return [...this.#created].sort(([a, at], [b, bt]) => at - bt || (a < b ? -1 : 1)).map(([id]) => id);
  }

  async heartbeats(ids: string[]): Promise<(string | null)[]> {
    return ids.map((id) => {
      const beat = this.#heartbeats.get(id);
      return beat ? JSON.stringify(beat) : null;
    });
  }

  async identity(): Promise<StoreIdentity | undefined> {
    return this.#identity;
  }

  async identify(epoch: number, identity: StoreIdentity): Promise<void> {
    this.#fence(epoch);
    this.#identity ??= plain(identity);
  }

  async restore(
    epoch: number,
    id: string,
    spec: DesiredRecord['spec'],
    createdAt: number,
    workspace = id,
  ): Promise<boolean> {
    this.#fence(epoch);
    if (this.#desired.has(id)) return false;
    const other = workspace !== id && { workspace };
    const made = { spec: plain(spec), generation: 0, created_at: formatInstant(createdAt), ...other };
    this.#created.set(id, createdAt);
    this.#write(id, { ...made, desired: 'running', request_id: `restored-${id}` });
    return true;
  }

  // --- what a test does to it ----------------------------------------------------------------------------------

  /** A wrapper's heartbeat; `undefined` loses it. */
  beat(id: string, heartbeat: Heartbeat | undefined): void {
    if (heartbeat) this.#heartbeats.set(id, copy(heartbeat));
    else this.#heartbeats.delete(id);
  }

  /** As `accept.lua` ends the create of a worker that takes over a body. */
  assign(id: string, status: StatusRecord): void {
    this.#status.set(id, { status: plain(status), memo: undefined, revision: 1 });
    this.#index.set(id, `${this.#desired.get(id)?.generation}.1`);
  }

  loseIdentity(): void {
    this.#identity = undefined;
  }

  /** FLUSHALL. */
  flush(): void {
    this.loseIdentity();
    for (const map of [
      this.#desired,
      this.#status,
      this.#index,
      this.#created,
      this.#requests,
      this.#heartbeats,
    ])
      map.clear();
    this.#revision = 0;
  }

  loseMemo(id: string): void {
    const stored = this.#status.get(id);
    if (stored) stored.memo = undefined;
  }

  #fence(epoch: number): void {
    if (epoch !== this.#epoch) throw new Fenced();
  }
}
