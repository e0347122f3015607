/**
 * Creates of this process's own HTTP API while it leads. They are planned and settled like those of the stream, by the same
 * planner and the same script, but without the two ways through Redis to the stream and back.
 *
 * Invariant: a client gets no answer before its create is stored. A request that is repeated, here or on the stream, gets the
 * same answer, so a client may repeat one whose manager was killed.
 */
import { type CommandResponse, toCommandEntry } from '../model/index.ts';
import { type CommandEntry, Fenced } from '../store/index.ts';
import { type CommandConsumerOptions, settle } from './consume.ts';
import { parseEntry } from './parse-entry.ts';
import { planEntry } from './plan.ts';

export class DirectCreates {
  #options: CommandConsumerOptions | undefined;

  /** This process leads, until the returned function is called. */
  open(options: CommandConsumerOptions): () => void {
    this.#options = options;
    return () => {
      if (this.#options === options) this.#options = undefined;
    };
  }

  /** The answer; `undefined` if the command must be sent to the leader by the stream. */
  async send(command: { command: string; request_id: string }): Promise<CommandResponse | undefined> {
    const options = this.#options;
    if (!options || command.command !== 'create') return undefined;
    const data = toCommandEntry(command);
    const { creates } = options;
    const id = `${options.context.now()}-0`;
    const entry: CommandEntry = { id, data, bytes: Buffer.byteLength(data), deliveries: 1, direct: true };
    const parsed = parseEntry(entry);
    const { context, end } = creates.open(options.context);
    try {
      let settlement = await planEntry(entry, parsed, context);
      while (settlement.operation === 'later' && creates.size > 0) {
        // Those before it may not all become workers.
        await creates.settled();
        settlement = await planEntry(entry, parsed, context);
      }
      options.crashPoint?.('command:read');
      const answer = await settle(settlement, options);
      return answer === undefined ? undefined : (JSON.parse(answer) as CommandResponse);
    } catch (error) {
      // Another manager leads, which reads the stream.
      if (error instanceof Fenced) return undefined;
      throw error;
    } finally {
      end();
    }
  }
}
