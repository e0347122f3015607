/** The worker images of the engine. */

import type { components } from '../../src/client/api-types.ts';
import { usePoll } from '../live/poll.ts';
import { requester } from '../live/session.ts';
import { Empty, Foreign, Problem, useNow } from '../parts/basics.tsx';
import { formatBytes, formatTimeSince, toShortId } from '../parts/text.ts';
import { toHref } from '../router.ts';

type ImageInfo = components['schemas']['Image'];
const EVERY_MS = 10_000;

export function ImagesView() {
  const { value, error } = usePoll('images', EVERY_MS, (signal) =>
    requester.get<{ items: ImageInfo[] }>('/v1/images', { signal }),
  );
  const now = useNow(10_000);
  const images = value?.items ?? [];
  const bytes = images.reduce((sum, image) => sum + image.size_bytes, 0);
  return (
    <section class="view" aria-labelledby="view-title">
      <div class="view-head">
        <h1 id="view-title">Images</h1>
        {images.length > 0 && (
          <span class="dim">
            {images.length}, {formatBytes(bytes)} with shared layers
          </span>
        )}
      </div>
      <Problem text={error} />
      {value && images.length === 0 && <Empty>There are no worker images yet.</Empty>}
      {images.length > 0 && (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Image</th>
                <th scope="col">Type</th>
                <th scope="col">Modules</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col" class="number">
                  Created
                </th>
                <th scope="col" class="number">
                  Last used
                </th>
                <th scope="col">Used by</th>
              </tr>
            </thead>
            <tbody>
              {images.map((image) => (
                <tr key={image.id}>
                  <td>
                    <code>
                      <Foreign text={image.name} />
                    </code>
                  </td>
                  <td>{image.agent_type}</td>
                  <td>{image.modules.join(', ')}</td>
                  <td class="number">{formatBytes(image.size_bytes)}</td>
                  <td class="number">{formatTimeSince(image.created_at, now)} ago</td>
                  <td class="number">
                    {image.last_used_at ? `${formatTimeSince(image.last_used_at, now)} ago` : ''}
                  </td>
                  <td>
                    {image.used_by.slice(0, 5).map((user) => (
                      <a key={user} class="item" href={toHref('workers', user)}>
                        <Foreign text={/^[0-9a-f-]{36}$/.test(user) ? toShortId(user) : user} />
                      </a>
                    ))}
                    {image.used_by.length > 5 && `and ${image.used_by.length - 5} more`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
