/** The generated Dockerfiles, and what none of them may contain. */
import { expect, test } from 'vitest';
import { createRecipe, MODULE_TABLE, renderDockerfile } from '../../src/images/index.ts';
import type { WorkerSpec } from '../../src/model/index.ts';
import { GROUND, specOf } from './recipes.ts';

const ALL = MODULE_TABLE.map(({ name }) => name);
const CASES: Record<string, Partial<WorkerSpec>> = {
  custom: {},
  claude: { agent_type: 'CLAUDE' },
  'claude-git-locked': { agent_type: 'CLAUDE', modules: ['GIT'], allowed_commands: ['git'] },
  task: { agent_type: 'TASK' },
  codex: { agent_type: 'CODEX' },
  'factory-all': { agent_type: 'FACTORY', modules: ALL },
  'task-requirements': { agent_type: 'TASK', modules: ['BUILD'], packages: ['jq'], requirements: ['six'] },
};

const textOf = (fields: Partial<WorkerSpec>) => renderDockerfile(createRecipe(specOf(fields), GROUND));

test.each(Object.entries(CASES))('%s', async (name, fields) => {
  await expect(textOf(fields)).toMatchFileSnapshot(`golden/${name}.Dockerfile`);
});

test.each(Object.entries(CASES))('%s keeps to what the oldest builder knows', (_name, fields) => {
  const text = textOf(fields);
  expect(text).not.toMatch(/RUN --|<<|# syntax|COPY --(link|chmod)|^ADD /m);
  for (const line of text.replaceAll('\\\n', '').split('\n')) {
    expect(line).toMatch(
      /^(# .*|(FROM|LABEL|RUN|COPY|ENV|ARG|WORKDIR|USER|ENTRYPOINT|EXPOSE|HEALTHCHECK) .*|)$/,
    );
  }
});

test.each(Object.entries(CASES))('%s has certificates in builder stages only', (_name, fields) => {
  const final = textOf(fields)
    .split(/^FROM /m)
    .at(-1);
  expect(final).not.toMatch(/ca\.crt|CERT/);
});

test('modules are in the order of the table, whatever order was requested', () => {
  const one = createRecipe(specOf({ modules: ['CURL', 'GIT', 'CURL'] }), GROUND);
  expect(one.modules).toEqual(['GIT', 'CURL']);
  expect(renderDockerfile(one)).toBe(textOf({ modules: ['GIT', 'CURL'] }));
});

test('two agents of different types have the same text up to their programs', () => {
  const stage = (fields: Partial<WorkerSpec>) =>
    textOf(fields)
      .split(/^FROM /m)
      .at(-1)
      ?.split('COPY --from=')[0];
  expect(stage({ agent_type: 'CLAUDE' })).toBe(stage({ agent_type: 'FACTORY', modules: ['GIT'] }));
});

test.each(['node:24\nRUN true', 'a b', '--platform=x', '$BASE', ''])('a base named %j is refused', (name) => {
  const recipe = createRecipe(specOf(), { ...GROUND, base: { ...GROUND.base, name } });
  expect(() => renderDockerfile(recipe)).toThrow('is not allowed in a Dockerfile');
});
