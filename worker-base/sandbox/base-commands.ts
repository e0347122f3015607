/**
 * Programs that every locked image leaves to the agent, because no agent works without them: the base set of
 * `image/lock.sh`, and `sh`, which leads to one of them. A test checks that both lists are the same.
 */
export const BASE_COMMANDS: readonly string[] =
  'bash cat dash env find grep head id ls mkdir ps rg sed sh sleep tail wc'.split(' ');
