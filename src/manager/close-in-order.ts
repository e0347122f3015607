/**
 * Closes the parts of a manager, one after the other. A part that fails is logged: if it kept the others open, the process
 * would never end.
 */
export async function closeInOrder(
  parts: Record<string, () => unknown>,
  log: { error(fields: object, message: string): void },
): Promise<void> {
  for (const [part, close] of Object.entries(parts)) {
    try {
      await close();
    } catch (err) {
      log.error({ err, part }, 'failed to close a part of the manager');
    }
  }
}
