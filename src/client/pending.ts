/**
 * The handle of what is on its way to the manager: `await` waits until it is accepted. Rejects like the request, so an
 * error is reported even if only the acceptance is awaited.
 */
export abstract class PendingHandle<T> implements PromiseLike<T> {
  protected readonly handle: Promise<T>;

  constructor(handle: Promise<T>) {
    this.handle = handle;
  }

  // biome-ignore lint/suspicious/noThenProperty: `await worker.send(…)` returns the turn.
  then<A = T, B = never>(
    onHandle?: ((handle: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.handle.then(onHandle, onError);
  }
}
