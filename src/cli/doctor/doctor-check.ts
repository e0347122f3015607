/** The result of one check of `doctor`. */
export interface DoctorCheck {
  name: string;
  /** `hint`: it works, but users should know about it. */
  state: 'ok' | 'bad' | 'hint';
  found: string;
  advice?: string;
}

/** A check that passes, or a hint if there is advice. */
export const withAdvice = (
  check: { name: string; found: string },
  advice: string | undefined,
): DoctorCheck => (advice === undefined ? { ...check, state: 'ok' } : { ...check, state: 'hint', advice });

/** A check that fails, with what to do about it. */
export const bad = (name: string, found: string, advice: string): DoctorCheck => ({
  name,
  state: 'bad',
  found,
  advice,
});
