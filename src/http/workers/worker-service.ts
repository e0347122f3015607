/** What the routes of workers need of the manager. */
import type {
  ExecMessage,
  FileMessage,
  Goal,
  InputMessage,
  WaitObservation,
  WorkerStream,
  WorkerView,
} from '../../model/index.ts';
import type { SendCommand } from '../commands.ts';
import type { SourceEntry } from '../streams/event-stream.ts';

export interface WorkerService {
  sendCommand: SendCommand;
  /** `undefined` if there is no record. */
  get(id: string): Promise<WorkerView | undefined>;
  /** The worker that has this name, or had it last; `undefined` if it has no record. */
  findId(name: string): Promise<string | undefined>;
  /** Whether there is a record, or the tombstone of a deleted worker. */
  isKnown(id: string): Promise<boolean>;
  /** At most `limit` workers after `cursor` that `keep` accepts; `next` is the position of the next page. */
  page(of: {
    limit: number;
    cursor: string | undefined;
    keep: ((view: WorkerView) => boolean) | undefined;
  }): Promise<{ items: WorkerView[]; next: string | undefined }>;
  /** The spec, as accepted; `undefined` if there is no record. */
  spec(id: string): Promise<object | undefined>;
  /** What the manager would do next, and why; `undefined` if there is no record. */
  explain(id: string): Promise<object | undefined>;
  /** Adds a message to the input. A repeated key is the same message. */
  sendInput(
    id: string,
    input: { message: InputMessage | ExecMessage | FileMessage; key: string | undefined },
  ): Promise<{ outcome: 'sent' | 'repeated' | 'gone' | 'full' | 'differs'; entry_id: string }>;
  /** Waits until the worker reaches the goal, can no longer reach it (`missed`), or the signal fires (`late`). */
  waitFor(
    id: string,
    goal: Goal,
    signal: AbortSignal,
  ): Promise<{ outcome: 'reached' | 'missed' | 'late'; observation: WaitObservation }>;
  /** Entries after an ID, in batches; with `follow`, also new ones until the signal fires. */
  read(
    stream: WorkerStream,
    options: { from: string; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<SourceEntry[]>;
  /** The ID before the last `count` entries of a stream; '0' if there are fewer. */
  before(stream: WorkerStream, count: number): Promise<string>;
  now(): number;
}
