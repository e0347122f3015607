/** What the file helper gets from the wrapper, as one line of JSON on its standard input. */
export interface FileHelperSettings {
  /** The folder outside of which nothing is touched. */
  workspace: string;
  /** Where it listens: a name of Linux's abstract sockets, which have no file that an agent could replace. */
  address: string;
  /** Whatever runs in the body may connect, so requests need it. */
  secret: string;
  /** The agent's group, if it has one. */
  group?: number | undefined;
}
