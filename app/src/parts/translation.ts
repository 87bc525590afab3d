// A browser that translates a page puts nodes of its own in the place of its texts. What the page writes later into a text that is no longer there
// nobody sees: an old amount would stay. So each text is in an element of its own, which is made anew when the text changes.

import { Fragment, createElement, options, type ComponentChild, type VNode } from "preact";

/** It means nothing to browsers, and looks like the text alone. */
const TEXT = "t-";
/** These hold texts alone. */
const PLAIN = new Set([TEXT, "option", "title", "desc", "text", "tspan", "style", "script", "textarea"]);

export function keepTextsTranslatable(): void {
  const before = options.vnode;
  options.vnode = (vnode: VNode<{ children?: unknown }>) => {
    const { type, props } = vnode;
    if (type === Fragment || (typeof type === "string" && !PLAIN.has(type))) {
      const { children } = props;
      if (Array.isArray(children)) props.children = (children as ComponentChild[]).map(asElement);
      else props.children = asElement(children as ComponentChild, 0);
    }
    before?.(vnode);
  };
}

const asElement = (child: ComponentChild, place: number): ComponentChild =>
  typeof child === "string" || typeof child === "number" ? createElement(TEXT, { key: `${place} ${child}` }, child) : child;
