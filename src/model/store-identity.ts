/** Identifies a store: the label on its bodies, which distinguishes it from another store and from an empty one. */
export interface StoreIdentity {
  id: string;
  /** When the store was created. */
  created_at: string;
  /**
   * Identities of bodies that belong to this store although another store created them, because that store was lost and
   * restored from them. The value is the creation time of the last such body in milliseconds since 1970; `null` for
   * any.
   */
  adopted: Record<string, number | null>;
}

/** Whether a body belongs to this store. A body without the label is of an older version and belongs to it. */
export function owns(
  { id, adopted }: StoreIdentity,
  body: { store?: string | undefined; created_at: number },
): boolean {
  if (body.store === undefined || body.store === id) return true;
  const until = adopted[body.store];
  return until !== undefined && (until === null || body.created_at <= until);
}
