/** The hook that CLIs ask before a command: `worker-base/image/gate`, a program of its own. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const GATE = fileURLToPath(new URL('../../../worker-base/image/gate', import.meta.url));

async function ask(question: string, gateway: string | undefined) {
  const gate = spawn(GATE, { env: gateway === undefined ? {} : { WORKER_GATEWAY: gateway } });
  gate.stdin.end(question);
  const [answer, complaint] = await Promise.all([text(gate.stdout), text(gate.stderr)]);
  return { answer, complaint };
}

/** A gateway that answers so; what it was asked is in `asked`. */
async function gateway(answer: string, status = 200) {
  const asked: { url: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ url: request.url, body });
      response.writeHead(status).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test.each([
  ['a plain question', '{"tool_name":"Bash"}'],
  ['text beyond ASCII, escapes and line ends', '{"a":"é%s\\\\n $(id) `id`"}\n\n'],
  ['a large one', `{"a":"${'é'.repeat(200_000)}"}`],
])('hands on as it came, and prints the answer: %s', async (_, question) => {
  const answer = '{"hookSpecificOutput":{"permissionDecision":"deny","permissionDecisionReason":"ünknown"}}';
  const { url, asked } = await gateway(answer);
  expect(await ask(question, url)).toEqual({ answer: `${answer}\n`, complaint: '' });
  expect(await ask(question, `${url}/token`)).toEqual({ answer: `${answer}\n`, complaint: '' });
  expect(asked).toEqual(['/gate', '/token/gate'].map((path) => ({ url: path, body: question })));
});

test('denies, in the form that the CLIs expect, if it gets no answer', async () => {
  const refusing = await gateway('{}', 500);
  const talking = await gateway('<html>');
  const places = [undefined, 'http://127.0.0.1:1', 'nonsense', refusing.url, talking.url];
  for (const place of places) {
    const { answer, complaint } = await ask('{}', place);
    expect(JSON.parse(answer)).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'deny',
        permissionDecisionReason: expect.stringContaining('could not be asked'),
      },
    });
    expect(complaint).toBe('');
  }
});
