/**
 * The program that stands in for an AI agent in the demo: it counts aloud all the time, so that a lost or doubled line
 * would be seen, and answers each line that it is asked.
 */
function agent(lineEveryMs: number): void {
  let line = 0;
  setInterval(() => console.log(`line ${++line}`), lineEveryMs);
  process.stdin.setEncoding('utf8').on('data', (prompt: string) => {
    const words = prompt.trim().split(/\s+/);
    console.log(`answer: "${words.at(-1)}" is the last of your ${words.length} words`);
  });
}

/** Milliseconds between two lines. */
const LINE_EVERY_MS = 25;

/** Its command line: a Node that is on the PATH of the machine as well as of the worker image. */
export const AGENT_COMMAND = ['node', '-e', `(${agent.toString()})(${LINE_EVERY_MS})`];
