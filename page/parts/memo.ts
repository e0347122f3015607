import { Component, type ComponentType, h } from 'preact';

/** A component that is rendered again only if a property is another value. */
export function memoized<P extends object>(Inner: ComponentType<P> | ((props: P) => preact.ComponentChild)) {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Record<string, unknown>;
      return Object.entries(next).some(([name, value]) => !Object.is(value, now[name]));
    }
    override render() {
      return h(Inner as ComponentType<P>, this.props as P);
    }
  };
}
