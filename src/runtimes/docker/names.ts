import { LABEL, workerId } from '../../model/index.ts';

/**
 * Names and IDs that may become part of a path to the engine. dockerode escapes nothing: an ID such as
 * `../secrets` or `x?force=1` would reach another endpoint, so every value is validated here first.
 */
const CELL = /^[a-z0-9][a-z0-9-]{0,62}$/;
const ENGINE_ID = /^[0-9a-f]{12,64}$/;

/** The container's name, derived from the worker's ID only, so that the engine rejects a second body. */
export function bodyName(cell: string, id: string): string {
  if (!workerId.safeParse(id).success) throw new TypeError(`${JSON.stringify(id)} is not a worker ID.`);
  return cell === 'default' ? `wm-${id}` : `wm-${checkCell(cell)}-${id}`;
}

/** The name of the cell's network. */
export const networkName = (cell: string): string => `wm-${checkCell(cell)}`;

export function checkCell(cell: string): string {
  if (!CELL.test(cell)) throw new TypeError(`${JSON.stringify(cell)} is not a cell: use a-z, 0-9 and "-".`);
  return cell;
}

export function checkId(id: string): string {
  if (!ENGINE_ID.test(id)) throw new TypeError(`${JSON.stringify(id)} is not a container ID.`);
  return id;
}

/** The labels that identify everything of a cell. */
export function cellLabels(cell: string): Record<string, string> {
  return { [LABEL.managed]: 'true', [LABEL.cell]: cell };
}

/** The same labels as a filter for the engine. */
export function cellFilter(cell: string): { label: string[] } {
  return { label: Object.entries(cellLabels(cell)).map(([name, value]) => `${name}=${value}`) };
}
