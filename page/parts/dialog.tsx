/** A modal dialog: the browser keeps the focus in it and closes it with Escape. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Problem } from './basics.tsx';
import { printable } from './text.ts';

export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key: what a person types after the key that opens it is meant for the dialog.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => opener instanceof HTMLElement && opener.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{printable(title)}</h2>
      {children}
    </dialog>
  );
}

/** The end of a form in a dialog: why it failed, and its buttons. */
export function FormEnd({
  error,
  busy,
  act,
  onClose,
}: {
  error: string | undefined;
  busy: boolean;
  act: string;
  onClose: () => void;
}) {
  return (
    <>
      <Problem text={error} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy}>
          {act}
        </button>
      </div>
    </>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({
  title,
  text,
  act,
  onConfirm,
  onClose,
}: {
  title: string;
  text: string;
  act: string;
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{printable(text)}</p>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {act}
        </button>
      </div>
    </Dialog>
  );
}
