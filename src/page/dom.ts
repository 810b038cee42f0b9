type Child = Node | string | undefined | false;

/** Attributes by name; `true` for one without a value. `undefined` and `false` omit it. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Creates an element with attributes and children. Text is always text, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return complete(document.createElement(tag), attributes, children);
}

function complete<E extends Element>(made: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  append(made, children);
  return made;
}

/** Replaces all children. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) if (child !== undefined && child !== false) parent.append(child);
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the page's own icons, 16 units square, for decoration beside a text. */
export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const path = svgElement('path', { d: PATHS[name] });
  return svgElement('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' }, path);
}

export function svgElement<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return complete(document.createElementNS(SVG, tag), attributes, children);
}

const PATHS = {
  play: 'M4.5 2.7v10.6c0 .6.7 1 1.2.7l8-5.3c.5-.3.5-1 0-1.4l-8-5.3c-.5-.3-1.2 0-1.2.7z',
  pause: 'M4 2.5h2.6v11H4zM9.4 2.5H12v11H9.4z',
  check: 'M6.5 12.4 2.3 8.2l1.3-1.3 2.9 2.9 6-6L13.7 5.1z',
  warning: 'M8 1.6 15 14H1zM7.3 6.2l.2 4h1l.2-4zM8 11a.8.8 0 1 0 0 1.6A.8.8 0 0 0 8 11z',
} as const;
