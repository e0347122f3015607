/** Which store this is: what its bodies carry as a label, and what tells it from another one and from an empty one. */
export interface StoreIdentity {
  id: string;
  /** Since when it remembers. */
  created_at: string;
  /**
   * Identities of bodies that are ours although another id made them: the store was lost and is remembered by them.
   * The value is the last instant of creation of such a body in milliseconds since 1970; `null` for any.
   */
  adopted: Record<string, number | null>;
}

/** Whether a body belongs to this store. One without the label is of an older version, and ours. */
export function owns(
  { id, adopted }: StoreIdentity,
  body: { store?: string | undefined; created_at: number },
): boolean {
  if (body.store === undefined || body.store === id) return true;
  const until = adopted[body.store];
  return until !== undefined && (until === null || body.created_at <= until);
}
