/** Which paths lead into the body of a worker, so that what is sent there is passed on as it comes. Pure. */

const DOOR_PATH =
  /^\/v1\/(workers\/[^/?#]+\/(exec|processes|files|archive|watch|ptys?|ports|checkpoints|changes)|checkpoints\/[^/?#]+\/archive)(?=[/?#]|$)/;

/** Whether a request is for a body: of any size and duration, and perhaps with another protocol after an upgrade. */
export const isDoorPath = (url: string | undefined): boolean => DOOR_PATH.test(url ?? '');
