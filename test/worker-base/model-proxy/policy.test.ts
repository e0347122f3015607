import { execFile } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { openProxy, policyUrl, post } from './proxy-world.ts';

describe('the command policy of the proxy', () => {
  test('is answered by the command policy, even if there is no model', async () => {
    const asked: unknown[] = [];
    const answer = {
      hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny' },
    } as const;
    const evaluate = (question: unknown) => {
      asked.push(question);
      return answer;
    };
    const modelProxy = await openProxy(undefined, { evaluate });
    expect(await (await post(policyUrl(modelProxy), { body: '{"tool_name":"Bash"}' })).json()).toEqual(
      answer,
    );
    await post(policyUrl(modelProxy), { body: 'no JSON' });
    expect(asked).toEqual([{ tool_name: 'Bash' }, undefined]);
    expect((await post(modelProxy.url)).status).toBe(404);
    expect((await fetch(policyUrl(modelProxy))).status).toBe(405);
    // Without its own token it answered any process of the worker.
    for (const url of [`${new URL(modelProxy.url).origin}/gate`, `${modelProxy.url}/gate`])
      expect((await post(url, { body: '{"tool_name":"Bash"}' })).status).toBe(404);
    expect(asked).toHaveLength(2);
  });

  test('has a hook that needs nothing but bash, and is understood by it', async () => {
    const answer = {
      hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'allow' },
    } as const;
    const modelProxy = await openProxy(undefined, {
      evaluate: (asked) => (JSON.stringify(asked).includes('ä€ x') ? answer : {}),
    });
    const [program = '', ...args] = modelProxy.policyCommand;
    const hook = execFile(program, args, { env: {} });
    hook.stdin?.end(
      JSON.stringify({ tool_name: 'Bash', tool_input: { command: `echo "ä€ x" ${'x'.repeat(200_000)}` } }),
    );
    expect(JSON.parse(await text(hook.stdout as NodeJS.ReadableStream))).toEqual(answer);
  });
});
