import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Model, startModel } from './index.ts';
import { type Message, nextStep } from './script.ts';

const user = (content: Message['content']): Message => ({ role: 'user', content });
const text = (...texts: string[]) => user(texts.map((each) => ({ type: 'text', text: each })));
const reply = (said: string): Message => ({ role: 'assistant', content: said });
const result: Message = user([{ type: 'tool_result' }]);
const acts = (...messages: Message[]) => nextStep(messages).acts;

describe('the script', () => {
  const script = '[[think]] [[say I look.]] [[run git status]] [[say Done looking.]]';

  it('goes step by step with the replies since the prompt', () => {
    expect(acts(user(script)).map((act) => act.do)).toEqual(['think', 'say', 'run']);
    expect(acts(user(script), reply('I look.'), result)).toEqual([{ do: 'say', text: 'Done looking.' }]);
    expect(acts(user(script), reply('I look.'), result, reply('x'), result)).toEqual([
      { do: 'say', text: 'Done.' },
    ]);
  });

  it('counts prompts, also merged ones, and not what agents add', () => {
    const said = [{ do: 'say', text: 'Prompts so far: 3.' }];
    expect(
      acts(text('<system-reminder>x</system-reminder>', 'one'), reply('1'), text('two', '[[count]]')),
    ).toEqual(said);
    const system: Message = { role: 'system', content: 'Environment' };
    const added = text('[Request interrupted by user]', '[[count]]');
    expect(acts(user('one'), system, reply('1'), user('two'), reply('2'), added)).toEqual(said);
  });

  it('echoes a prompt without directives', () => {
    expect(acts(user('hello'))).toEqual([{ do: 'say', text: 'You said: hello' }]);
  });
});

describe('the stand-in', () => {
  let model: Model;
  beforeEach(async () => {
    model = await startModel();
  });
  afterEach(() => model.close());

  const post = (prompt: string, more: object = {}) =>
    fetch(`${model.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k' },
      body: JSON.stringify({ model: 'm', messages: [user(prompt)], ...more }),
    });

  it('answers at once or as a stream', async () => {
    expect(await (await post('[[say Hi.]]')).json()).toMatchObject({
      content: [{ type: 'text', text: 'Hi.' }],
      stop_reason: 'end_turn',
    });
    const stream = await (await post('[[say Hi.]]', { stream: true })).text();
    expect(stream.match(/^event: .*$/gm)?.map((line) => line.slice(7))).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  it('uses the shell that the agent has', async () => {
    const tools = [
      {
        name: 'Execute',
        input_schema: { required: ['command', 'riskLevel'], properties: { riskLevel: { type: 'string' } } },
      },
    ];
    expect(await (await post('[[run ls]]', { tools })).json()).toMatchObject({
      content: [{ type: 'tool_use', name: 'Execute', input: { command: 'ls', riskLevel: 'low' } }],
      stop_reason: 'tool_use',
    });
  });

  it('fails N times, for each prompt', async () => {
    const statuses = [];
    for (let tries = 0; tries < 3; tries += 1)
      statuses.push((await post('[[error 529 x2]] [[say Ok.]]')).status);
    expect(statuses).toEqual([529, 529, 200]);
    expect((await post('[[error 401]]')).status).toBe(401);
  });

  it('cuts the connection, and sends garbage', async () => {
    await expect(
      post('[[say Half]] [[cut]]', { stream: true }).then((answer) => answer.text()),
    ).rejects.toThrow();
    expect(await (await post('[[html]]')).text()).toContain('<html>');
  });

  it('waits until it is released', async () => {
    const answer = post('[[wait here]] [[say Released.]]');
    await model.waiting('here');
    model.release('here');
    expect(await (await answer).json()).toMatchObject({ content: [{ text: 'Released.' }] });
  });

  it('saw the credential', async () => {
    await post('hello');
    await fetch(`${model.url}/api/hello`, { method: 'HEAD' });
    expect(model.requests.map(({ method, credential }) => [method, credential])).toEqual([
      ['POST', 'x-api-key: k'],
      ['HEAD', undefined],
    ]);
  });
});
