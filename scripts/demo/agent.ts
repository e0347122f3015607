/**
 * The program that simulates an AI agent in the demo: it counts continuously, so that a lost or duplicated line would
 * be detected, and answers each line of input.
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
