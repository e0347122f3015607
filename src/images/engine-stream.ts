/** One line of the engine's output while it builds or pulls. Its errors are there, not in the status of the response. */
export interface EngineLine {
  stream?: string;
  status?: string;
  error?: string;
  /** What `aux` is, from BuildKit. */
  id?: string;
  /** At the end of a build: the image's id. Before that, from BuildKit: a status (`buildkit-status.ts`). */
  aux?: string | { ID?: string };
}

/** A line of the engine is shorter than this; what is longer is not read further. */
const LONGEST = 1024 ** 2;

/** The lines as they come. Throws where the connection breaks. */
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
