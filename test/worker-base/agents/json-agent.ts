/**
 * An agent that does what its prompts say, in the JSON-lines protocol; faults included. With `--stay` it ends neither
 * with its stdin nor on SIGTERM.
 */
import { createInterface } from 'node:readline';

const tell = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const lines = createInterface({ input: process.stdin });
if (process.argv.includes('--stay')) {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1000);
} else {
  lines.once('close', () => process.exit(0));
}

let current = { id: '', heeds: false };
const complete = (id: string, result: string) =>
  tell({ type: 'turn_completed', id, result, usage: { input_tokens: 3, output_tokens: 5 }, cost_usd: 0.25 });

/** Ends when `ms` have gone by, at work all the time. */
function burn(ms: number): void {
  for (const until = Date.now() + ms; Date.now() < until; );
}

const ACTS: Record<string, (id: string, rest: string) => void> = {
  say(id, text) {
    tell({ type: 'message', content: text });
    complete(id, text);
  },
  pid: (id) => complete(id, String(process.pid)),
  env: (id) => complete(id, JSON.stringify(process.env)),
  long(id, size) {
    tell({ type: 'message', content: 'é'.repeat(Number(size)) });
    tell({ type: 'tool_use', tool: 'Write', tool_use_id: 't', input: { content: 'x'.repeat(Number(size)) } });
    tell({ type: 'tool_result', tool_use_id: 't', content: 'done' });
    complete(id, 'long');
  },
  overlong(id, size) {
    process.stdout.write(`${'y'.repeat(Number(size))}\n`);
    complete(id, 'overlong');
  },
  hang: () => {},
  hold(id) {
    current = { id, heeds: true };
  },
  work(id, ms) {
    burn(Number(ms));
    complete(id, 'worked');
  },
  tool(id, ms) {
    tell({ type: 'tool_use', tool: 'Bash', tool_use_id: 'u', input: { command: 'make' } });
    setTimeout(() => {
      tell({ type: 'tool_result', tool_use_id: 'u', content: 'made' });
      complete(id, 'tool');
    }, Number(ms));
  },
  garbage(_id, count) {
    for (let at = 1; at <= Number(count); at += 1) process.stdout.write(`noise ${at}\n`);
  },
  stray(id) {
    process.stdout.write('a stray print\n');
    complete(id, 'stray');
  },
  die: (_id, code) => process.exit(Number(code)),
  fail: (id, reason) => tell({ type: 'turn_failed', id, reason, message: 'It went wrong.' }),
};

lines.on('line', (line) => {
  const { type, id, content = '' } = JSON.parse(line);
  if (type === 'interrupt') {
    if (current.heeds && current.id === id) tell({ type: 'turn_failed', id, message: 'stopped' });
    return;
  }
  const [, act = '', rest = ''] = /^(\w+) ?(.*)$/s.exec(content) ?? [];
  ACTS[act]?.(id, rest);
});
