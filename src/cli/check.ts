/** One thing that `doctor` checked. */
export interface Check {
  name: string;
  /** `hint`: it works, but somebody should know. */
  state: 'ok' | 'bad' | 'hint';
  found: string;
  advice?: string;
}
