import type { ExitState } from './exit-state.ts';
import type { TurnRunnerDeps } from './turn-deps.ts';

/** As sysexits.h, EX_PROTOCOL: the agent never became ready. */
const HANDSHAKE_TIMEOUT_CODE = 76;

/** Kills an agent that did not complete its handshake in time, and ends the work of the body. */
export async function endUnanswered(
  { agentSession, handshakeMs }: Pick<TurnRunnerDeps, 'agentSession' | 'handshakeMs'>,
  exitState: ExitState,
): Promise<void> {
  const sentence = `The agent did not answer within ${handshakeMs / 1000} s of its start: check that the program uses its protocol.`;
  await agentSession().kill();
  exitState.end({ code: null, signal: 'SIGKILL' }, HANDSHAKE_TIMEOUT_CODE, sentence);
}
