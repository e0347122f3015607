import { expect, test } from 'vitest';
import { CAT } from '../scene.ts';
import { type ClientSubject, LONG, refusal } from './subject.ts';

export function testCommands(subject: ClientSubject): void {
  test('a command has its output, its input and its exit code', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const { commands } = worker;
    const parts: string[] = [];
    const onStdout = (text: string) => void parts.push(text);
    expect(await commands.run('echo out; echo é >&2; exit 4', { onStdout })).toMatchObject({
      exit_code: 4,
      signal: null,
      stdout: 'out\n',
      stderr: 'é\n',
      lost_bytes: 0,
    });
    expect(parts.join('')).toBe('out\n');
    const options = { env: { WHO: 'me' }, stdin: 'given', cwd: '/' };
    expect((await commands.run(['sh', '-c', 'cat; pwd; echo $WHO'], options)).stdout).toBe('given/\nme\n');
    expect(await commands.run('sleep 60', { timeoutSeconds: 0.5 })).toMatchObject({
      exit_code: 124,
      timed_out: true,
    });
    expect(await refusal(commands.run(''))).toMatchObject({ code: 'invalid_command' });
    await worker.stop({ wait: 'ended' });
    expect(await refusal(commands.run('true'))).toMatchObject({ code: 'conflict' });
  });
}
