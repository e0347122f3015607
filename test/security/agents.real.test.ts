/** The real CLIs, with all permissions, work fully in images that allow few programs. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { dockerAt } from '../support/docker.ts';
import { type Model, startModel } from '../support/model/index.ts';
import { type Subject, specOf, startSubject } from './subject.ts';

const LOCK = { modules: ['GIT', 'CURL'], allowed_commands: ['git'] };
const DROID_SETTINGS = (url: string) =>
  JSON.stringify({
    customModels: [
      {
        model: 'm',
        displayName: 'Mock',
        baseUrl: url,
        apiKey: 'none',
        provider: 'anthropic',
        maxOutputTokens: 4096,
      },
    ],
  });

/** What the agent's tools do, in order, and what each result has to say. */
const STEPS = (write: string, look: string): [step: string, result: RegExp][] => [
  ['run git init -q . && git status', /No commits yet/],
  [write, /./],
  [
    'run cat notes.txt && ls && grep -c kept notes.txt && find . -name notes.txt',
    /kept\s+notes\.txt\s+1\s+\.\/notes\.txt/,
  ],
  [look, /notes\.txt|kept/],
  ['run curl -s file:///etc/hostname', /Permission denied/],
  ["run git -c alias.x='!curl -s file:///etc/hostname' x", /Permission denied/],
  [
    'run git add notes.txt && git -c user.name=a -c user.email=a@b commit -qm first && git log --oneline',
    /first/,
  ],
];

let model: Model;
const subjects: Subject[] = [];
beforeAll(async () => {
  const bridge = await dockerAt(inject('dockerHost')).getNetwork('bridge').inspect();
  model = await startModel({ host: bridge.IPAM?.Config?.[0]?.Gateway ?? '172.17.0.1' });
});
afterAll(async () => {
  await Promise.all(subjects.map((subject) => subject.remove()));
  await model?.close();
});

test.each([
  {
    agent_type: 'CLAUDE',
    write: 'tool Write {"file_path":"/workspace/notes.txt","content":"kept\\n"}',
    look: 'tool Read {"file_path":"/workspace/notes.txt"}',
    start: (prompt: string, url: string) =>
      `ANTHROPIC_BASE_URL=${url} ANTHROPIC_API_KEY=none CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 exec claude -p --dangerously-skip-permissions --output-format stream-json --verbose ${prompt}`,
  },
  {
    agent_type: 'FACTORY',
    write: 'tool Create {"file_path":"/workspace/notes.txt","content":"kept\\n"}',
    look: 'tool Grep {"pattern":"kept","path":"/workspace"}',
    start: (prompt: string, url: string) =>
      `mkdir -p ~/.factory && echo '${DROID_SETTINGS(url)}' > ~/.factory/settings.json && FACTORY_RIPGREP_PATH=/usr/bin/rg FACTORY_API_KEY=none FACTORY_AIRGAP_ENABLED=true exec droid exec -m custom:Mock-0 --skip-permissions-unsafe -o stream-json ${prompt}`,
  },
])(
  '$agent_type works, and what is not allowed does not',
  async ({ agent_type, write, look, start }) => {
    const subject = await startSubject(specOf({ ...LOCK, agent_type, command_line: undefined }));
    subjects.push(subject);
    const steps = STEPS(write, look);
    const prompt = [...steps.map(([step]) => step), 'say All done.'].map((step) => `[[${step}]]`).join(' ');
    const script = start(`'${prompt.replaceAll("'", `'\\''`)}'`, model.url);
    const { outcomes } = await subject.attempt({ landlock: true, prepare: 'true', attempts: [script] });
    const lines = (outcomes[0]?.output ?? '').split('\n').filter((line) => line.startsWith('{'));
    const said = lines.map((line) => JSON.parse(line));
    const results = said.flatMap((line) =>
      line.type === 'tool_result'
        ? [typeof line.value === 'string' ? line.value : JSON.stringify(line.value ?? line.error)]
        : line.type === 'user' && Array.isArray(line.message.content)
          ? line.message.content.map((part: { content: unknown }) => String(part.content))
          : [],
    );
    expect(results.map((result: string, at: number) => [steps[at]?.[0], result])).toEqual(
      steps.map(([step, result]) => [step, expect.stringMatching(result)]),
    );
    expect(JSON.stringify(said.at(-1))).toContain('All done.');
  },
  300_000,
);

test('Droid, if allowed, is an interpreter that starts no more programs than others', async () => {
  const subject = subjects[1] as Subject;
  const droid = (code: string) => `BUN_BE_BUN=1 droid -e "${code}"`;
  const run = (file: string) =>
    droid(
      `try { console.log('ran', require('child_process').execFileSync('${file}', ['--probe'])) } catch (e) { console.log(e.code) }`,
    );
  const attempts = [droid('console.log(6 * 7)'), run('/usr/bin/curl'), run('/tmp/static')];
  const prepare = 'cp /worker/confine /tmp/static && chmod 755 /tmp/static';
  const { outcomes } = await subject.attempt({ landlock: false, prepare, attempts });
  expect(outcomes[0]).toEqual({ code: 0, output: '42' });
  for (const { output } of outcomes.slice(1)) expect(output).toBe('EACCES');
});
