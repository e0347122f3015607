import type { OpenDialogue } from './dialogue.ts';

/** No protocol at all: a prompt is a line on stdin, and every line of stdout is just that. */
export const openPlainLines: OpenDialogue = () => ({
  open: () => ({ ready: true }),
  prompt: (content) => ({ write: `${content}\n` }),
  interrupt: () => ({}),
  receive: () => ({ unreadable: true }),
});
