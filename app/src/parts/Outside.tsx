// The frame of what is shown while no community is open.

import type { ComponentChildren } from "preact";
import type { Words } from "../words/en.js";

interface Props {
  title: string;
  words: Words;
  /** Chooses the language. */
  picker?: ComponentChildren;
  children: ComponentChildren;
}

export function Outside({ title, words, picker, children }: Props) {
  return (
    <>
      <header class="top">
        <span class="brand">{words.title}</span>
        {picker}
      </header>
      <main class="stack">
        <h1>{title}</h1>
        {children}
      </main>
    </>
  );
}
