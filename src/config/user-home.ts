import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

/** The user's home directory; `/` for a user who has none, as in a container that runs with any user ID. */
export function getUserHome({ HOME }: NodeJS.ProcessEnv): string {
  if (HOME && isAbsolute(HOME)) return HOME;
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}
