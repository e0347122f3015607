import { type CommandConsumerOptions, consumeCommands, PendingCreates } from '../commands/index.ts';
import { ASSIGNED, type WorkerSpec } from '../model/index.ts';
import { BURST_MS, type PoolLoop } from '../pools/loop.ts';
import type { WarmPool } from '../pools/warm/warm-pool.ts';
import type { Loop } from '../reconcile/loop.ts';
import type { CommandResultLabel } from '../telemetry/metrics.ts';
import type { Census } from './census.ts';
import type { TermOptions } from './term-options.ts';

const STREAM_LOST =
  'The command stream or its consumer group was lost and has been recreated. Commands without a response must be sent again.';

/** The parts of a term that are notified of a settled command. */
interface TermCommandsDeps {
  epoch: number;
  loop: Loop;
  pools: PoolLoop;
  warmPool: WarmPool;
  census: Census;
  enqueue: (id: string) => void;
}

/** Reads and settles commands until the signal fires. Throws only `Fenced`. */
export async function consumeForTerm(
  options: TermOptions,
  deps: TermCommandsDeps,
  signal: AbortSignal,
): Promise<void> {
  const { stream, store, runtimes, log, now, newId, metrics, crashPoint, capabilities } = options;
  const { epoch, loop, pools, warmPool, census, enqueue } = deps;
  const context = {
    store,
    now,
    newId,
    newTrace: options.traces?.newTrace,
    capabilities,
    pools: options.pools.store,
    full: (beingCreated?: number) => census.full(beingCreated),
    warm: (spec: WorkerSpec) => warmPool.choose(spec),
    get runtimes() {
      return runtimes.states;
    },
  };
  const consumer: CommandConsumerOptions = {
    stream,
    epoch,
    context,
    log,
    crashPoint,
    creates: new PendingCreates(),
    // In the next turn of the loop: the answer has arrived on another connection, and its client waits for it.
    onChanged: (id) => void setImmediate(enqueue, id),
    onWanted: (id) => census.add(id),
    onPoolChanged: (name) => pools.enqueue(name),
    onClaimed(id, by) {
      // Observed after the burst, if its wrapper has not reported by then; the warm worker that it was claimed from
      // is deleted.
      loop.queue.addAfter(id, BURST_MS);
      if (!by) pools.bodyClaimed(id);
      const runtime = by?.spec.runtime;
      if (runtime) metrics.spawnDuration.observe((now() - by.ms) / 1000, { phase: ASSIGNED, runtime });
    },
    onStreamLost: () => options.findings.note('commands', STREAM_LOST),
    onReleased(id) {
      warmPool.release(id);
      enqueue(id);
    },
    onSettled(command, result, lagMs, settlement) {
      options.traces?.addCommand(command, result, settlement);
      metrics.commands.inc(1, { command: command as 'create', result: result as CommandResultLabel });
      metrics.commandLag.observe(lagMs / 1000);
    },
  };
  let close: (() => void) | undefined;
  // A worker in a cell that has no stream yet would be taken for the rest of a store that was lost.
  const onCaughtUp = () => {
    close ??= options.directCreates?.open(consumer);
  };
  try {
    await consumeCommands({ ...consumer, onCaughtUp }, signal);
  } finally {
    close?.();
  }
}
