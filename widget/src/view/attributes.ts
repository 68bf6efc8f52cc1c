/** What JSX gives an element, apart from its children. */
export type Attributes = Record<string, unknown>;

/** Makes the element's attributes and listeners what they should be, touching only what changed. */
export function setAttributes(element: Element, now: Attributes, before: Attributes): void {
  for (const name of Object.keys({ ...before, ...now })) {
    if (name === 'children' || name === 'key' || name === 'ref') continue;
    if (now[name] !== before[name]) setAttribute(element as HTMLElement, name, now[name]);
    // What somebody typed changed it without us.
    else if (name === 'value') setAttribute(element as HTMLElement, name, now[name]);
  }
}

function setAttribute(element: HTMLElement, name: string, value: unknown): void {
  if (name.startsWith('on')) {
    const listener = value as ((event: Event) => unknown) | undefined;
    // Without a return value: `false` would prevent what the browser does.
    const handler = (event: Event) => void listener?.(event);
    Object.assign(element, { [name.toLowerCase()]: handler });
  } else if (name === 'style') setStyle(element.style, (value ?? {}) as Record<string, string>);
  else if (name === 'value' && typeof value === 'string') {
    const field = element as HTMLTextAreaElement;
    if (field.value !== value) field.value = value;
  } else if (value == null || (value === false && !name.startsWith('aria'))) element.removeAttribute(name);
  else element.setAttribute(name, value === true && !name.startsWith('aria') ? '' : String(value));
}

/** Custom properties keep their names; `colorScheme` becomes `color-scheme`. */
function setStyle(style: CSSStyleDeclaration, rules: Record<string, string>): void {
  style.cssText = Object.entries(rules)
    .map(([name, value]) => `${name.replace(/[A-Z]/g, '-$&')}:${value}`)
    .join(';');
}
