import type { Redis } from 'ioredis';
import type { Keys } from '../../src/store/keys.ts';
import { Agent } from '../agent/agent-process.ts';
import { Conversation, type OpenVoice, voiceOf } from '../agent/session.ts';
import { Keep } from '../agent/session-archive.ts';
import type { Stage } from '../boot/agent-environment.ts';
import type { Log } from '../log.ts';
import type { Denials } from '../sandbox/denials.ts';
import type { Settings } from '../settings.ts';
import type { Over, Surroundings, Work } from '../workload.ts';
import { SILENCE_MS } from './hang-detector.ts';
import { Turns } from './turn-runner.ts';

/** Begins work with an agent that has turns: goes on with the conversation that is kept, and starts the agent. */
export async function converse(options: {
  around: Surroundings;
  stage: Stage;
  settings: Settings;
  denials: Denials;
  redis: Redis;
  keys: Keys;
  log: Log;
  signal: AbortSignal;
}): Promise<Work & { turns: Turns }> {
  const { around, stage, settings, denials, redis, keys, log, signal } = options;
  const { kind, hands, gateway, home = '' } = stage;
  const { workspace, handshakeMs, interruptMs, finishMs, workerId } = settings;
  const key = keys.conversation(workerId);
  const keep = new Keep({ redis, key, hands, home, paths: kind.conversation, log });
  const kept = await keep.restore(signal);
  const openVoice: OpenVoice = kind.acp
    ? async (order) =>
        (await import('../agent/acp-session.ts')).openAcp({
          ...order,
          denials,
          allowed: around.spec.allowed_commands,
        })
    : voiceOf(kind.dialogue);

  let settle: (over: Over) => void = () => {};
  const over = new Promise<Over>((resolve) => {
    settle = resolve;
  });
  const silence = around.spec.silence_timeout_seconds;
  const turns: Turns = new Turns({
    around,
    conversation: () => conversation,
    keep,
    denials,
    interruptMs,
    handshakeMs,
    silenceMs: silence === undefined ? SILENCE_MS : silence * 1000,
    modelByteAt: () => gateway?.lastByteAt() ?? 0,
    lost: kept.lost,
    over: (told) => {
      around.leaving();
      settle(told);
    },
  });
  const conversation = new Conversation(
    {
      workspace,
      openVoice,
      launch: (session, onLine) =>
        Agent.start({
          ...stage.order(session),
          onLine,
          onBytes: () => {
            around.pulse.touch();
            turns.sign();
          },
          onPiece: (stream, piece) => {
            around.pulse.touch();
            around.output.write(stream, piece, turns.requestId);
            turns.sign();
          },
        }),
      handshakeMs,
      finishMs,
      hardAt: around.hardAt,
    },
    kept.session,
    turns,
  );
  const { pid } = await conversation.start();
  return {
    pid,
    turns,
    over,
    handle: (entry) => turns.handle(entry),
    end: (why) => turns.end(why),
    kill: () => conversation.agent?.kill(),
    resume: () => conversation.agent?.resume(),
    settled: () => turns.settled(),
  };
}
