/**
 * As much of Claude Code's stream-json as a conversation takes that is kept in a file below the home, is gone on with
 * by `--resume`, and can be lost. FAKE_MUTE: it never answers the handshake.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const tell = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const folder = join(process.env.HOME ?? '', '.claude', 'projects', 'here');
const at = process.argv.indexOf('--resume');
const resumed = at < 0 ? undefined : process.argv[at + 1];
const session = resumed ?? randomUUID();
const file = join(folder, `${session}.jsonl`);
const result = (more: object) =>
  tell({ type: 'result', subtype: 'success', is_error: false, session_id: session, usage: {}, ...more });

if (resumed !== undefined && !existsSync(file)) {
  const errors = [`No conversation found with session ID: ${resumed}`];
  result({ subtype: 'error_during_execution', is_error: true, errors });
  process.exit(1);
}
const said: string[] = resumed === undefined ? [] : JSON.parse(readFileSync(file, 'utf8'));

const lines = createInterface({ input: process.stdin });
lines.once('close', () => process.exit(0));
lines.on('line', (line) => {
  const { type, request_id, request, message } = JSON.parse(line);
  if (type === 'control_request') {
    if (request.subtype === 'initialize' && process.env.FAKE_MUTE) return;
    tell({ type: 'control_response', response: { subtype: 'success', request_id } });
    return;
  }
  tell({ type: 'system', subtype: 'init', session_id: session });
  said.push(message.content);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(said), { mode: 0o600 });
  // In its first body it never answers this one.
  if (message.content === 'slowly' && process.env.WORKER_INCARNATION === '1') return;
  if (message.content === 'hang') return;
  // As the real one does where its model hangs: it says again and again that it tries again.
  if (message.content === 'retry') {
    const again = {
      type: 'system',
      subtype: 'api_retry',
      attempt: 1,
      max_retries: 10,
      retry_delay_ms: 500,
      error_status: 504,
    };
    setInterval(() => tell(again), 100).unref();
    return;
  }
  result({ result: said.join(' '), total_cost_usd: 0 });
});
