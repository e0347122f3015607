/**
 * Lets xterm.js work with the page's policy. It creates style elements, and sets style attributes of spans, which the policy
 * refuses. While a terminal is shown, such elements apply the same styles over the CSSOM, which the policy allows, as only
 * script of the page itself can do that.
 *
 * Its option for another document is not used everywhere in xterm.js, so the method of the page's document is replaced.
 */

let users = 0;

/** Replaces style elements and style attributes until the returned function is called. */
export function replaceInlineStyles(): () => void {
  users += 1;
  document.createElement = createElement as Document['createElement'];
  return () => {
    users -= 1;
    // The method of the prototype is visible again.
    if (users === 0) Reflect.deleteProperty(document, 'createElement');
  };
}

function createElement(name: string, options?: ElementCreationOptions): HTMLElement {
  if (name === 'style') return createStyle();
  const element = Document.prototype.createElement.call(document, name, options);
  if (name === 'span') element.setAttribute = setAttribute;
  return element;
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** Shows nothing; its text is a style sheet of the document until it is removed. */
function createStyle(): HTMLElement {
  const element = Document.prototype.createElement.call(document, 'template');
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}
