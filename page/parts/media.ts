import { useEffect, useState } from 'preact/hooks';

/** The width below which a table row takes two lines; as in the style sheet. */
const NARROW = matchMedia('(max-width: 760px)');

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const listen = () => setNarrow(NARROW.matches);
    NARROW.addEventListener('change', listen);
    return () => NARROW.removeEventListener('change', listen);
  }, []);
  return narrow;
}
