/** Which fields of a worker its fork takes over. Pure; loads no zod. */

/** What identifies the first worker, was only for it, or is set by its pool. */
const OWN = ['name', 'prompt', 'exit_after_prompt', 'pool', 'pool_revision', 'warm', 'from_checkpoint'];

/** The fields of a `create` for a worker that starts from a checkpoint of a worker with this spec. */
export function toForkFields(checkpointId: string, spec: object): Record<string, unknown> {
  const fields = Object.entries(spec).filter(([name]) => !OWN.includes(name));
  return { ...Object.fromEntries(fields), from_checkpoint: checkpointId };
}
