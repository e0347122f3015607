/** The sessions of pages: `console` blocks after a comment `<!-- NAME: … -->`. */

export interface SessionLine {
  command: string;
  printed: string;
}

/** The commands of all sessions of that name in a page, each with its printed output. */
export function readSessions(page: string, name: string): SessionLine[] {
  const blocks = page.matchAll(
    new RegExp(`<!-- ${name}:[^\\n]*-->\\n\`\`\`console\\n([\\s\\S]*?)\\n\`\`\``, 'g'),
  );
  return [...blocks].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .filter(Boolean)
      .map((part) => {
        const [command = '', ...printed] = part.trimEnd().split('\n');
        return { command, printed: printed.join('\n') };
      }),
  );
}
