import type { ServerContext } from '@modelcontextprotocol/server';

/** The shortest time between two reports, in milliseconds. */
const LEAST_MS = 1000;
/** Without news, a report repeats the last message after this time: clients give up a call that is silent for long. */
const REPEAT_MS = 10_000;

/** Reports the progress of a call, if its client asks for it. */
export function createProgress(
  { mcpReq }: ServerContext,
  signal: AbortSignal,
): { report: (message: string) => void; end: () => void } {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { report: () => {}, end: () => {} };
  let count = 0;
  let text = 'Working';
  let sentAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const send = () => {
    clearTimeout(timer);
    if (signal.aborted) return;
    count += 1;
    sentAt = performance.now();
    timer = setTimeout(send, REPEAT_MS);
    const params = { progressToken, progress: count, message: text };
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {});
  };
  timer = setTimeout(send, REPEAT_MS);
  return {
    report(message) {
      text = message;
      const wait = sentAt + LEAST_MS - performance.now();
      if (wait <= 0) return send();
      clearTimeout(timer);
      timer = setTimeout(send, wait);
    },
    end: () => clearTimeout(timer),
  };
}
