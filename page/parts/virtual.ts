/** Which rows of a long list are in view, so that only those are rendered. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Rows beyond both ends of the view, for fast scrolling. */
const MARGIN = 12;

export interface RowWindow {
  first: number;
  /** After the last one. */
  end: number;
}

export function useRowWindow(
  scroller: RefObject<HTMLElement | null>,
  { count, height }: { count: number; height: number },
): RowWindow {
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let frame = 0;
    const read = () => {
      frame = 0;
      setView((before) => {
        const next = { top: element.scrollTop, height: element.clientHeight };
        const same = next.height === before.height && Math.abs(next.top - before.top) < height;
        return same ? before : next;
      });
    };
    const later = () => {
      frame ||= requestAnimationFrame(read);
    };
    const observer = new ResizeObserver(later);
    observer.observe(element);
    element.addEventListener('scroll', later, { passive: true });
    read();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener('scroll', later);
    };
  }, [height, scroller]);
  // After a filter, the position may be beyond the new end.
  const top = Math.min(view.top, Math.max(0, count * height - view.height));
  const first = Math.max(0, Math.floor(top / height) - MARGIN);
  return { first, end: Math.min(count, Math.ceil((top + view.height) / height) + MARGIN) };
}
