/** A form for a new worker. All fields of the API that it does not show can be given as JSON. */
import { useState } from 'preact/hooks';
import type { WorkerInput } from '../../src/client/types.ts';
import { Dialog, FormEnd } from '../parts/dialog.tsx';
import { describeError } from '../parts/text.ts';
import { useCreation } from './use-creation.ts';

const TYPES = ['CLAUDE', 'CODEX', 'FACTORY', 'CUSTOM'] as const;
const RUNTIMES = ['auto', 'docker', 'process'] as const;
const MODULES = ['GIT', 'GITHUB_CLI', 'COPIER', 'CURL', 'DOCKER'] as const;

export function CreateWorker({ onClose }: { onClose: () => void }) {
  const [type, setType] = useState<string>('CUSTOM');
  const { error, busy, onSubmit } = useCreation(toInput, onClose);

  return (
    <Dialog title="New worker" onClose={onClose}>
      <form class="form" onSubmit={onSubmit}>
        <label>
          Type
          <select name="agent_type" value={type} onChange={(event) => setType(event.currentTarget.value)}>
            {TYPES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          Name
          <input name="name" autocomplete="off" />
        </label>
        {type === 'CUSTOM' ? (
          <label>
            Command
            <textarea name="shell" rows={2} required spellcheck={false} />
            <small>Is run by sh -c.</small>
          </label>
        ) : (
          <>
            <label>
              Instructions
              <textarea name="instructions" rows={3} />
            </label>
            <label>
              Allowed commands
              <input name="allowed_commands" autocomplete="off" spellcheck={false} />
              <small>Separated by spaces.</small>
            </label>
            <label>
              Secrets
              <input name="secrets" autocomplete="off" spellcheck={false} />
              <small>Names of secrets that the manager has, separated by spaces.</small>
            </label>
          </>
        )}
        <label>
          First prompt
          <textarea name="prompt" rows={2} />
        </label>
        <label>
          Runtime
          <select name="runtime">
            {RUNTIMES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <fieldset>
          <legend>Modules</legend>
          {MODULES.map((one) => (
            <label key={one} class="check">
              <input type="checkbox" name="modules" value={one} /> {one}
            </label>
          ))}
        </fieldset>
        <details>
          <summary>More fields, as JSON</summary>
          <label>
            <span class="hidden">More fields, as JSON</span>
            <textarea
              name="more"
              rows={4}
              spellcheck={false}
              placeholder={'{"restart_policy": "on-failure"}'}
            />
            <small>
              As in <a href="docs">the API</a>: env, labels, resources, restart_policy and others.
            </small>
          </label>
        </details>
        <FormEnd error={error} busy={busy} act="Create" onClose={onClose} />
      </form>
    </Dialog>
  );
}

/** Only the fields that have a value: the manager has defaults for the others. */
function toInput(form: FormData): WorkerInput {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const words = (name: string) =>
    text(name)
      .split(/[\s,]+/)
      .filter(Boolean);
  const more: unknown = text('more') === '' ? {} : parseFields(text('more'));
  const fields: Record<string, unknown> = {
    agent_type: text('agent_type'),
    name: text('name'),
    command_line: text('shell') && ['sh', '-c', text('shell')],
    instructions: text('instructions'),
    allowed_commands: words('allowed_commands'),
    secrets: words('secrets'),
    prompt: text('prompt'),
    runtime: text('runtime'),
    modules: form.getAll('modules'),
  };
  const given = Object.entries(fields).filter(
    ([, value]) => !(value === '' || (Array.isArray(value) && value.length === 0)),
  );
  return { ...Object.fromEntries(given), ...(more as object) } as WorkerInput;
}

function parseFields(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`More fields: not JSON (${describeError(cause)}).`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('More fields: must be a JSON object.');
  return value;
}
