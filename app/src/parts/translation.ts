// A browser that translates a page puts nodes of its own in the place of its texts. What the page writes later into a text that is no longer there
// nobody sees: an old amount would stay. So each text is in an element of its own, which is made anew when the text changes.

import { Fragment, createElement, options, type ComponentChild, type VNode } from "preact";

/** It means nothing to browsers, and looks like the text alone. */
const TEXT = "t-";
/** These hold texts alone. */
const PLAIN = new Set([TEXT, "option", "title", "desc", "text", "tspan", "style", "script", "textarea"]);

export function keepTextsTranslatable(): void {
  options.vnode = (vnode: VNode<{ children?: ComponentChild | ComponentChild[] }>) => {
    const { type, props } = vnode;
    if (type === Fragment || (typeof type === "string" && !PLAIN.has(type))) {
      const { children } = props;
      if (Array.isArray(children)) props.children = children.map(asElement);
      else props.children = asElement(children, 0);
    }
  };
}

const asElement = (child: ComponentChild, place: number): ComponentChild =>
  typeof child === "string" || typeof child === "number" ? createElement(TEXT, { key: `${place} ${child}` }, child) : child;
