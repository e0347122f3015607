/** The result of one check of `doctor`. */
export interface Check {
  name: string;
  /** `hint`: it works, but users should know about it. */
  state: 'ok' | 'bad' | 'hint';
  found: string;
  advice?: string;
}
