/** The result of one check of `doctor`. */
export interface DoctorCheck {
  name: string;
  /** `hint`: it works, but users should know about it. */
  state: 'ok' | 'bad' | 'hint';
  found: string;
  advice?: string;
}
