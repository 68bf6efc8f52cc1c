/**
 * Draws JSX and keeps it up to date: the part of Preact's interface that the widget needs (function components, keys,
 * references, state and effects). Preact with its hooks is 5.2 kB of a widget that promises 20 kB; this is a quarter of
 * it, for it leaves out what no widget in a shadow root uses: hydration, portals, contexts, class components, error
 * boundaries. The types of the elements are Preact's.
 */
import type { ComponentChild, ComponentChildren } from 'preact';
import { type Attributes, setAttributes } from './attributes.ts';

type Component = (props: Attributes) => ComponentChildren;

/** One element, component or text that is wanted. */
interface Wanted {
  /** Undefined for a text. */
  type: string | Component | undefined;
  props: Attributes;
  /** Siblings are told apart by their key, or by their place. */
  key: unknown;
}

/** What stands on the page for it. */
interface Drawn {
  wanted: Wanted | undefined;
  kids: Map<unknown, Drawn>;
  /** What the component returned, or the element's children. */
  inside: (Wanted | undefined)[];
  /** Missing for a component, whose nodes are those inside it. */
  node?: Element | Text;
  hooks: Hook[];
  /** Its state changed. */
  stale: boolean;
}

interface Hook {
  value?: unknown;
  inputs?: readonly unknown[];
  /** An effect that has to run after this drawing. */
  due?: (() => unknown) | undefined;
  undo?: unknown;
}

const SVG = 'http://www.w3.org/2000/svg';
const roots = new Map<ParentNode, Drawn>();
let drawing: Drawn;
let hookIndex = 0;
let effects: Hook[] = [];
let scheduled = false;

const fresh = (): Drawn => ({ wanted: undefined, kids: new Map(), inside: [], hooks: [], stale: false });

/** What JSX becomes. */
export function h(type: string | Component, props: Attributes | null, ...children: unknown[]): Wanted {
  return { type, props: { ...props, children }, key: props?.key };
}

/** Several things in the place of one. */
export const Fragment = ({ children }: { children?: ComponentChildren }) => children;

/** Draws into a parent that is empty or was drawn into before; null takes everything away. */
export function render(child: ComponentChild, parent: ParentNode & Node): void {
  const root = roots.get(parent) ?? fresh();
  roots.set(parent, root);
  root.inside = listOf(child);
  drawAll();
  if (child === null) roots.delete(parent);
}

/** Draws what changed, then runs the effects, children's before their parents'. */
function drawAll(): void {
  scheduled = false;
  for (const [parent, root] of roots) drawInside(root, parent as ParentNode & Node, null, false);
  const due = effects;
  effects = [];
  for (const hook of due) {
    undo(hook);
    hook.undo = hook.due?.();
    hook.due = undefined;
  }
}

function undo(hook: Hook): void {
  if (typeof hook.undo === 'function') hook.undo();
  hook.undo = undefined;
}

function listOf(children: unknown): (Wanted | undefined)[] {
  return (Array.isArray(children) ? children : [children]).map((child: unknown) => {
    if (child === null || child === undefined || typeof child === 'boolean') return undefined;
    if (Array.isArray(child)) return { type: Fragment, props: { children: child }, key: undefined };
    return typeof child === 'object' ? (child as Wanted) : { type: undefined, props: { text: String(child) }, key: undefined };
  });
}

/** Goes from the last to the first, so that the node to stand before is always known. Gives the first node. */
function drawInside(drawn: Drawn, parent: Node, before: Node | null, svg: boolean): Node | null {
  const old = drawn.kids;
  drawn.kids = new Map();
  for (const [index, wanted] of drawn.inside.entries()) {
    if (!wanted) continue;
    // Keys are strings, so a place is never mistaken for one.
    const key = wanted.key ?? index;
    const known = old.get(key);
    const kept = known?.wanted?.type === wanted.type ? known : undefined;
    if (kept) old.delete(key);
    drawn.kids.set(key, kept ?? fresh());
  }
  // Before anything is placed, so that what stays need not be moved: moving takes the focus away.
  for (const gone of old.values()) remove(gone, true);
  const kids = [...drawn.kids.values()];
  const wanted = drawn.inside.filter((item) => item !== undefined);
  let next = before;
  for (let index = kids.length - 1; index >= 0; index--) next = draw(kids[index]!, wanted[index]!, parent, next, svg);
  return next;
}

function draw(drawn: Drawn, wanted: Wanted, parent: Node, before: Node | null, svg: boolean): Node | null {
  const { type, props } = wanted;
  const known = drawn.wanted;
  drawn.wanted = wanted;
  if (typeof type === 'function') {
    if (known !== wanted || drawn.stale) {
      drawing = drawn;
      hookIndex = 0;
      drawn.stale = false;
      drawn.inside = listOf(type(props));
    }
    const first = drawInside(drawn, parent, before, svg);
    effects.push(...drawn.hooks.filter((hook) => hook.due));
    return first;
  }
  if (type === undefined) {
    const text = props.text as string;
    if (!drawn.node) drawn.node = document.createTextNode(text);
    else if (known !== wanted && (drawn.node as Text).data !== text) (drawn.node as Text).data = text;
  } else {
    const inSvg = svg || type === 'svg';
    drawn.node ??= inSvg ? document.createElementNS(SVG, type) : document.createElement(type);
    if (known !== wanted) {
      drawn.inside = listOf(props.children);
      setAttributes(drawn.node as Element, props, known?.props ?? {});
      if (props.ref) (props.ref as { current: unknown }).current = drawn.node;
    }
    drawInside(drawn, drawn.node, null, inSvg);
  }
  if (drawn.node.parentNode !== parent || drawn.node.nextSibling !== before) parent.insertBefore(drawn.node, before);
  return drawn.node;
}

/** `top` is true until a node is found, which takes those inside it along. */
function remove(drawn: Drawn, top: boolean): void {
  drawn.hooks.forEach(undo);
  const ref = drawn.wanted?.props.ref as { current: unknown } | undefined;
  if (ref?.current === drawn.node && ref) ref.current = null;
  for (const kid of drawn.kids.values()) remove(kid, top && !drawn.node);
  if (top) drawn.node?.remove();
}

function nextHook(): Hook {
  drawing.hooks[hookIndex] ??= {};
  return drawing.hooks[hookIndex++]!;
}

/** A value that draws its component again when it is changed. */
export function useState<T>(initial: T): [T, (change: T | ((before: T) => T)) => void] {
  const hook = nextHook();
  if (!('value' in hook)) hook.value = initial;
  const owner = drawing;
  return [
    hook.value as T,
    (change) => {
      const value = typeof change === 'function' ? (change as (before: T) => T)(hook.value as T) : change;
      if (Object.is(value, hook.value)) return;
      hook.value = value;
      owner.stale = true;
      if (!scheduled) queueMicrotask(drawAll);
      scheduled = true;
    },
  ];
}

/** A box that stays the same; as `ref` of an element it holds that element. */
export function useRef<T>(initial: T): { current: T };
export function useRef<T>(initial: T | null): { current: T | null };
export function useRef<T>(initial: T): { current: T } {
  const hook = nextHook();
  hook.value ??= { current: initial };
  return hook.value as { current: T };
}

/** Runs after the drawing when an input changed; what it returns runs before the next time and at the end. */
export function useEffect(effect: () => unknown, inputs: readonly unknown[]): void {
  const hook = nextHook();
  if (hook.inputs && inputs.every((input, index) => Object.is(input, hook.inputs![index]))) return;
  hook.inputs = inputs;
  hook.due = effect;
}
