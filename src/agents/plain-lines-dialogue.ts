import type { OpenDialogue } from './dialogue.ts';

/** No protocol: each prompt is a line on stdin, and each line of stdout is plain output. */
export const openPlainLines: OpenDialogue = () => ({
  open: () => ({ ready: true }),
  prompt: (content) => ({ write: `${content}\n` }),
  interrupt: () => ({}),
  receive: () => ({ unreadable: true }),
});
