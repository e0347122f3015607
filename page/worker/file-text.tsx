/** The beginning of a file as text, and the whole file as a download. */
import { useState } from 'preact/hooks';
import type { FileInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { perform } from '../model.ts';
import { Code, Foreign, Problem } from '../parts/basics.tsx';
import { saveFile } from '../parts/save-file.ts';
import { formatBytes, printable } from '../parts/text.ts';

const SHOWN_BYTES = 256 * 1024;

export function FileText({
  workerId,
  file,
  onClose,
}: {
  workerId: string;
  file: FileInfo;
  onClose: () => void;
}) {
  const [loading, setLoading] = useState(false);
  const { value, error } = usePoll(`file ${workerId} ${file.path} ${file.modified_at}`, undefined, (signal) =>
    readBeginning(workerId, file, signal),
  );
  const save = async () => {
    setLoading(true);
    await perform(`Downloaded ${file.name}.`, async () =>
      saveFile(file.name, await api.readFile(workerId, file.path, undefined, {})),
    );
    setLoading(false);
  };
  return (
    <section aria-label={printable(`File ${file.name}`)}>
      <div class="view-head">
        <h2>
          <Foreign text={file.name} />
        </h2>
        <span class="dim">
          {formatBytes(file.size)}
          {file.size > SHOWN_BYTES && `, of which the first ${formatBytes(SHOWN_BYTES)} are shown`}
        </span>
        <span class="grow" />
        <button type="button" disabled={loading} onClick={save}>
          Download
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <Problem text={error} />
      {value !== undefined && <Code value={value} label="Content" />}
    </section>
  );
}

async function readBeginning(workerId: string, file: FileInfo, signal: AbortSignal): Promise<string> {
  // A file without bytes has no range.
  const range = file.type === 'file' && file.size === 0 ? undefined : ([0, SHOWN_BYTES - 1] as const);
  return new Response(await api.readFile(workerId, file.path, range, { signal })).text();
}
