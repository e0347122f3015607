/**
 * One line of the engine's output during a build or pull. It contains errors; the response status does not.
 */
export interface EngineLine {
  stream?: string;
  status?: string;
  error?: string;
  /** The kind of `aux`, from BuildKit. */
  id?: string;
  /** At the end of a build: the image ID. Before that, from BuildKit: a status (`buildkit-status.ts`). */
  aux?: string | { ID?: string };
}

/** Maximum length of a line; the rest of a longer one is not read. */
const LONGEST = 1024 ** 2;

/** Yields the lines as they arrive. Throws if the connection breaks. */
export async function* readEngineStream(stream: NodeJS.ReadableStream): AsyncGenerator<EngineLine> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST) throw new Error('The Docker daemon sent a line that is too long.');
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as EngineLine;
  }
  if (rest.trim()) yield JSON.parse(rest) as EngineLine;
}
