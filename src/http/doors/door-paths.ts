/** Which paths lead into the body of a worker, so that what is sent there is passed on as it comes. Pure. */

const DOOR_PATH =
  /^\/v1\/(workers\/[^/?#]+\/(exec|processes|files|archive|watch|ptys?|ports|checkpoints|changes)|checkpoints\/[^/?#]+\/archive)(?=[/?#]|$)/;

/** Whether a request is for a body: of any size and duration, and perhaps with another protocol after an upgrade. */
export const isDoorPath = (url: string | undefined): boolean => DOOR_PATH.test(url ?? '');

const FILE_PATH = /^(\/v1\/workers\/[^/?#]+\/(?:files|archive|watch)\/)([^?#]*)(.*)$/s;

/**
 * Encodes the path of a file once more, so that the router, which decodes paths as UTF-8, leaves it as it was sent: the names of files
 * are bytes.
 */
export function keepFilePath(url: string): string {
  const [, start, path, rest] = FILE_PATH.exec(url) ?? [];
  return start === undefined || path === undefined ? url : `${start}${path.replaceAll('%', '%25')}${rest}`;
}
