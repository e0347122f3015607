import type { Redis } from 'ioredis';
import type { Keys } from '../../src/store/keys.ts';
import { AgentProcess } from '../agent/agent-process.ts';
import { AgentSession, type OpenProtocol, toProtocol } from '../agent/session.ts';
import { SessionArchive } from '../agent/session-archive.ts';
import { TurnJournal } from '../agent/turn-journal.ts';
import type { Log } from '../log.ts';
import type { Denials } from '../sandbox/denials.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment, Workload, WorkloadContext, WorkloadResult } from '../workload.ts';
import { SILENCE_MS } from './hang-detector.ts';
import { Predecessor } from './predecessor.ts';
import { TurnRunner } from './turn-runner.ts';

/** Starts work with an agent that has turns: continues the stored conversation, and starts the agent. */
export async function startTurns(options: {
  context: WorkloadContext;
  environment: AgentEnvironment;
  settings: WrapperSettings;
  denials: Denials;
  redis: Redis;
  keys: Keys;
  log: Log;
  signal: AbortSignal;
}): Promise<Workload & { turnRunner: TurnRunner }> {
  const { context, environment, settings, denials, redis, keys, log, signal } = options;
  const { kind, privileges, modelProxy, home = '' } = environment;
  const { workspace, handshakeMs, interruptMs, finishMs, workerId } = settings;
  const key = keys.conversation(workerId);
  const archive = new SessionArchive({ redis, key, privileges, home, paths: kind.conversation, log });
  const journal = new TurnJournal({ redis, key, output: keys.output(workerId) });
  const kept = await archive.restore(signal);
  const predecessor = new Predecessor(context, journal, {
    resumed: environment.resumed,
    cut: await journal.examine(kept.begun, signal),
    hadTurns: kept.hadTurns,
    conversation: kept.session !== undefined,
  });
  const openProtocol: OpenProtocol = kind.acp
    ? async (order) =>
        (await import('../agent/acp-session.ts')).openAcp({
          ...order,
          denials,
          allowed: context.spec.allowed_commands,
        })
    : toProtocol(kind.dialogue);

  const { promise: result, resolve: settle } = Promise.withResolvers<WorkloadResult>();
  const silence = context.spec.silence_timeout_seconds;
  const turnRunner: TurnRunner = new TurnRunner({
    context,
    agentSession: () => conversation,
    archive,
    journal,
    predecessor,
    denials,
    interruptMs,
    handshakeMs,
    silenceMs: silence === undefined ? SILENCE_MS : silence * 1000,
    modelByteAt: () => modelProxy?.lastByteAt() ?? 0,
    lost: kept.lost,
    over: (result) => {
      context.leaving();
      settle(result);
    },
  });
  const conversation = new AgentSession(
    {
      workspace,
      openProtocol,
      launch: (session, onLine) =>
        AgentProcess.start({
          ...environment.processOptions(session),
          onLine,
          onBytes: () => {
            context.heartbeat.touch();
            turnRunner.sign();
          },
          onPiece: (stream, piece) => {
            context.heartbeat.touch();
            context.output.write(stream, piece, turnRunner.requestId);
            turnRunner.sign();
          },
        }),
      handshakeMs,
      finishMs,
      hardAt: context.hardAt,
    },
    kept.session,
    turnRunner,
  );
  const { pid } = await conversation.start();
  return {
    pid,
    turnRunner,
    result,
    handle: (entry) => turnRunner.handle(entry),
    end: (reason) => turnRunner.end(reason),
    kill: () => conversation.agent?.kill(),
    resume: () => conversation.agent?.resume(),
    settled: () => turnRunner.settled(),
  };
}
