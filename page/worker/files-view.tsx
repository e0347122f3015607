/** The files in the workspace of a worker: list, open, download, upload and remove. */
import { useState } from 'preact/hooks';
import type { FileInfo, WorkerInfo } from '../../src/client/types.ts';
import { usePoll } from '../live/poll.ts';
import { api } from '../live/session.ts';
import { perform } from '../model.ts';
import { Empty, Foreign, Problem, useNow } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { formatBytes, formatTimeSince, printable } from '../parts/text.ts';
import { FileText } from './file-text.tsx';

const EVERY_MS = 5000;
/** Files of a folder that are shown; a command line is better for more. */
const SHOWN = 1000;

export function FilesView({ worker, ended }: { worker: WorkerInfo; ended: boolean }) {
  const { worker_id } = worker;
  /** Percent-encoded, as the manager gives it. */
  const [folder, setFolder] = useState('');
  const [opened, setOpened] = useState<FileInfo | undefined>();
  const [removing, setRemoving] = useState<FileInfo | undefined>();
  const { value, error, refresh } = usePoll(
    `files ${worker_id} ${worker.incarnation} ${folder}`,
    ended ? undefined : EVERY_MS,
    (signal) => api.listFiles(worker_id, folder, { signal, limit: SHOWN }),
  );
  const now = useNow(10_000);
  if (ended) return <Empty>The files can be seen while the worker runs.</Empty>;

  const enter = (path: string) => {
    setOpened(undefined);
    setFolder(path);
  };
  const upload = async (list: FileList | null) => {
    for (const file of list ?? []) {
      const path = [folder, encodeURIComponent(file.name)].filter((part) => part !== '').join('/');
      await perform(`Uploaded ${file.name}.`, () => api.writeFile(worker_id, path, file, {}));
    }
    refresh();
  };
  const remove = async (file: FileInfo) => {
    await perform(`Removed ${file.name}.`, () => api.removeFile(worker_id, file.path, {}));
    if (opened?.path === file.path) setOpened(undefined);
    refresh();
  };
  const files = value?.items ?? [];
  return (
    <div class="files">
      <div class="view-head">
        <Crumbs folder={folder} onEnter={enter} />
        <span class="grow" />
        <label class="upload">
          Upload files
          <input
            type="file"
            multiple
            onChange={({ currentTarget }) => {
              void upload(currentTarget.files).finally(() => {
                currentTarget.value = '';
              });
            }}
          />
        </label>
      </div>
      <Problem text={error} />
      {value && files.length === 0 && <Empty>The folder is empty.</Empty>}
      {files.length > 0 && (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Permissions</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col" class="number">
                  Changed
                </th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {files.map((file) => (
                <tr key={file.path}>
                  <td>
                    <Name file={file} onEnter={enter} onOpen={setOpened} />
                  </td>
                  <td>
                    <code>{file.mode}</code>
                  </td>
                  <td class="number">{file.type === 'file' ? formatBytes(file.size) : ''}</td>
                  <td class="number">{formatTimeSince(file.modified_at, now)} ago</td>
                  <td>
                    <button
                      type="button"
                      aria-label={printable(`Remove ${file.name}`)}
                      onClick={() => setRemoving(file)}
                    >
                      Remove
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {value?.next_cursor && <p class="dim">Only the first {SHOWN} files are shown.</p>}
        </div>
      )}
      {opened && (
        <FileText key={opened.path} workerId={worker_id} file={opened} onClose={() => setOpened(undefined)} />
      )}
      {removing && (
        <Confirm
          title={`Remove ${removing.name}?`}
          text={
            removing.type === 'directory'
              ? 'Everything in the folder is removed too.'
              : 'The file is removed.'
          }
          act="Remove"
          onConfirm={() => void remove(removing)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </div>
  );
}

/** A button that enters a folder or opens a file. A link may lead to either, and what it is shows when it is opened. */
function Name({
  file,
  onEnter,
  onOpen,
}: {
  file: FileInfo;
  onEnter: (path: string) => void;
  onOpen: (file: FileInfo) => void;
}) {
  const { type, name, path, target } = file;
  if (type === 'other') return <Foreign text={name} />;
  const isFolder = type === 'directory';
  return (
    <>
      <button type="button" class="link" onClick={() => (isFolder ? onEnter(path) : onOpen(file))}>
        <Foreign text={isFolder ? `${name}/` : name} />
      </button>
      {target !== undefined && (
        <span class="dim">
          {' → '}
          <Foreign text={target} />
        </span>
      )}
    </>
  );
}

/** The folders above, each a button. */
function Crumbs({ folder, onEnter }: { folder: string; onEnter: (path: string) => void }) {
  const parts = folder === '' ? [] : folder.split('/');
  return (
    <nav class="crumbs" aria-label="Folder">
      <button type="button" class="link" onClick={() => onEnter('')}>
        workspace
      </button>
      {parts.map((part, at) => {
        const path = parts.slice(0, at + 1).join('/');
        return (
          <span key={path}>
            <span aria-hidden="true"> / </span>
            <button type="button" class="link" onClick={() => onEnter(path)}>
              <Foreign text={decodeName(part)} />
            </button>
          </span>
        );
      })}
    </nav>
  );
}

/** A name that is not UTF-8 stays encoded. */
function decodeName(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
