/**
 * Writes the field reference (`docs/reference.md`) and the JSON Schemas (`docs/schema/`) from the schemas and docstrings of
 * `src/model/`. `--check` only compares.
 */

import { z } from 'zod';
import {
  command,
  desiredRecord,
  FAULT_CODES,
  heartbeat,
  inputMessage,
  OUTPUT_TYPES,
  poolSpec,
  poolStatus,
  RESERVED_RUNTIME_NAMES,
  statusRecord,
} from '../src/model/index.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { findAlertsByMetric } from './generate/alerts.ts';
import { parseComments, parseMembers } from './generate/comments.ts';
import { type Schema, typeOf } from './generate/schema.ts';
import { formatJson, writeOrCheck } from './generate/write.ts';

/** A schema of ours as JSON Schema, as those who write it see it, with the docstrings of these files of the model. */
function toSchema(schema: z.ZodType, title: string, files: string[]): Schema {
  const comments = new Map(files.flatMap((file) => [...parseComments(`src/model/${file}.ts`)]));
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const describe = (one: Schema) => {
    const reserved: readonly unknown[] = RESERVED_RUNTIME_NAMES;
    if (one.enum) one.enum = one.enum.filter((value) => !reserved.includes(value));
    for (const [name, inner] of Object.entries(one.properties ?? {})) {
      const about = comments.get(name);
      if (about) inner.description = about;
      describe(inner);
    }
    for (const variant of one.oneOf ?? one.anyOf ?? []) describe(variant);
  };
  describe(made);
  return { title, ...made };
}

const pool = toSchema(poolSpec, 'A pool, as in files, commands and the field spec of the hash pool:<name>', [
  'worker/spec',
  'pool/pool',
]);

/** A pool has names of its own for fields that workers have, too: they are described where it is. */
function commandSchema(): Schema {
  const schema = toSchema(command, 'An entry of worker:commands', ['worker/spec', 'messages/command']);
  for (const { properties } of schema.oneOf ?? schema.anyOf ?? [])
    if (properties?.pool?.properties) properties.pool = { ...pool, description: 'The spec of the pool.' };
  return schema;
}

const schemas = {
  command: commandSchema(),
  input: toSchema(inputMessage, 'An entry of worker:<id>:input', ['messages/message']),
  desired: toSchema(desiredRecord, 'The hash worker:<id>, its spec parsed', ['worker/record', 'worker/spec']),
  status: toSchema(statusRecord, 'The hash worker:<id>:status', ['worker/record']),
  heartbeat: toSchema(heartbeat, 'The string worker:<id>:heartbeat', ['worker/heartbeat']),
  pool,
  'pool-status': toSchema(poolStatus, 'The hash pool:<name>:status', ['pool/pool-status']),
};

function fields(schema: Schema, leaveOut: string[] = []): string {
  const rows = Object.entries(schema.properties ?? {})
    .filter(([name]) => !leaveOut.includes(name))
    .map(([name, one]) => {
      const needed = one.default === undefined && schema.required?.includes(name);
      const fallback = one.default === undefined ? '' : ` Default \`${JSON.stringify(one.default)}\`.`;
      const elsewhere =
        name === 'spec'
          ? 'the fields of [create](#create)'
          : name === 'pool' && one.properties
            ? 'the fields of [a pool](#pools)'
            : name === 'template'
              ? 'fields of [create](#create)'
              : undefined;
      const type = elsewhere ?? typeOf(one);
      return row(name, `${type}${needed ? ', required' : ''}`, `${one.description ?? ''}${fallback}`);
    });
  return table(rows);
}

const row = (name: string, type: string, about: string) =>
  `| \`${name}\` | ${type.replaceAll('|', '\\|')} | ${about.trim().replaceAll('|', '\\|')} |`;
const table = (rows: string[]) =>
  ['| field | type | description |', '| --- | --- | --- |', ...rows].join('\n');
const variants = (schema: Schema) => schema.oneOf ?? schema.anyOf ?? [];
const tagOf = (schema: Schema, tag: string) => String(schema.properties?.[tag]?.const);
const interfaceTable = (file: string, name: string) =>
  table(parseMembers(`src/model/${file}.ts`, name).map((one) => row(one.name, `\`${one.type}\``, one.about)));

const reference = `# Reference of the wire protocol

Generated from \`src/model/\` by \`npm run generate\`; do not edit. JSON Schemas: ${Object.keys(schemas)
  .map((name) => `[${name}](schema/${name}.json)`)
  .join(', ')}.

A stream entry has one field, \`data\`, which is a JSON object. In a cell other than \`default\`, every key starts with
\`<cell>:\`. Times are RFC 3339 in UTC.

## Commands: \`worker:commands\`

Every command has \`command\` (its name) and these fields:

${fields({ ...schemas.command, properties: pick(variants(schemas.command)[0], ['request_id', 'reply_to']), required: ['request_id'] })}
${variants(schemas.command)
  .map((one) => {
    const table = fields(one, ['command', 'request_id', 'reply_to']);
    const none = Object.keys(one.properties ?? {}).length <= 3;
    return `\n### ${tagOf(one, 'command')}\n\n${none ? 'No further fields.' : table}`;
  })
  .join('\n')}

## Responses: \`worker:responses\`, or the stream in \`reply_to\`

${interfaceTable('messages/command', 'CommandResponse')}

\`error.code\` is one of ${FAULT_CODES.map((code) => `\`${code}\``).join(', ')}.

## Input: \`worker:<id>:input\`
${variants(schemas.input)
  .map((one) => `\n### ${tagOf(one, 'type')}\n\n${fields(one, ['type'])}`)
  .join('\n')}

## Output: \`worker:<id>:output\`

${interfaceTable('messages/message', 'OutputMessage')}

\`type\` is one of ${OUTPUT_TYPES.map((type) => `\`${type}\``).join(', ')}.

Output without a newline is sent after 100 ms without further output, or once a second while it grows, so that a prompt such as \`[y/N] \` is visible
while the agent waits for input. To restore the agent's output, decode \`base64\` if it is set, otherwise encode \`content\` as
UTF-8; then add a newline unless \`partial\` is true.

## History: \`worker:<id>:events\`

${interfaceTable('worker/record', 'LifecycleEvent')}

## Desired record: \`worker:<id>\`

A hash. \`spec\` is JSON: the fields of \`create\`, with \`runtime\` resolved.

${fields(schemas.desired)}

## Status: \`worker:<id>:status\`

A hash; unknown values are absent.

${fields(schemas.status)}

## Heartbeat: \`worker:<id>:heartbeat\`

${fields(schemas.heartbeat)}

## Pools

The format of a file for \`apply -f\`, of the command \`apply\`, and of the field \`spec\` of the hash \`pool:<name>\`.

${fields(pool)}

## Status of a pool: \`pool:<name>:status\`

A hash; unknown values are absent.

${fields(schemas['pool-status'])}

## Metrics: \`GET /metrics\`

The leader exposes the metrics of the cell; other managers expose only those of their own process. Labels never contain IDs. \`pool\` is empty for
workers without a pool. Alerts are those of [deploy/prometheus](../deploy/prometheus/rules/alerts.yml), without their prefix \`WorkerManager\`; each has a [runbook](runbooks/README.md).

${await metricsTable()}

## Nodes: \`GET /v1/nodes\`

All running task workers and manually started nodes. With \`?format=prometheus_sd\`, the response lists targets for the
\`http_sd_configs\` of Prometheus, with the label \`pool\`; use \`__meta_worker_manager_worker_id\`, \`__meta_worker_manager_external\` and
\`__meta_worker_manager_started_at\` in \`relabel_configs\`.

${interfaceTable('task/node', 'NodeView')}
`;

async function metricsTable(): Promise<string> {
  const all = await createMetrics({ processMetrics: false }).text();
  const alerts = findAlertsByMetric();
  const rows = [...all.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => {
      const links = [...(alerts.get(name) ?? [])].map(
        ([alert, page]) => `[${alert.replace('WorkerManager', '')}](${page.replace('docs/', '')})`,
      );
      return `${row(name, type, help)} ${links.join(', ') || '–'} |`;
    },
  );
  const head = ['| metric | type | description | alerts |', '| --- | --- | --- | --- |'];
  return [...head, ...rows.sort()].join('\n');
}

function pick(schema: Schema | undefined, names: string[]): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schema?.properties ?? {}).filter(([name]) => names.includes(name)),
  );
}

const files = Object.entries(schemas).map(([name, schema]) => {
  const path = `docs/schema/${name}.json`;
  return [path, formatJson(path, JSON.stringify(schema, null, 2))] as const;
});
writeOrCheck({ 'docs/reference.md': reference, ...Object.fromEntries(files) });
