/** Writes the parts of docs/ that are made from code: the state diagram and the table of settings. `--check` only compares. */
import type { Variable } from '../src/config/variable.ts';
import { VARIABLES } from '../src/config/variables.ts';
import { stateDiagram } from './generate/diagram.ts';
import { between, read, writeOrCheck } from './generate/write.ts';

/** A home that shows as `~`. */
const HOME = '/~';

function settingsTable(): string {
  const rows = (Object.values(VARIABLES) as Variable<never>[]).map(({ name, allowed, fallback, help }) => {
    const value = typeof fallback === 'function' ? fallback({ HOME }).replace(HOME, '~') : fallback;
    return `| \`${name}\` | ${value === undefined ? '' : `\`${value}\``} | ${help} Must be ${allowed}. |`;
  });
  return ['| variable | default | description |', '| --- | --- | --- |', ...rows].join('\n');
}

writeOrCheck({
  'docs/architecture.md': between(read('docs/architecture.md'), 'states', stateDiagram()),
  'docs/settings.md': between(read('docs/settings.md'), 'settings', settingsTable()),
});
