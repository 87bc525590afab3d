// If the page itself fails, it says so and what to do: it is never empty.

import { Component, type ComponentChildren } from "preact";
import { forgetPlace } from "../person/place.js";
import type { Words } from "../words/en.js";
import { Outside } from "./Outside.js";

export class Boundary extends Component<{ words: Words; children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown) {
    console.error(error);
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    const { crash, contract } = this.props.words;
    return (
      <Outside title={crash.title} words={this.props.words}>
        <p role="alert">{crash.advice}</p>
        <div class="row">
          <button type="button" class="primary" onClick={() => location.reload()}>
            {crash.reload}
          </button>
          <button type="button" class="plain" onClick={forgetPlace}>
            {contract.other}
          </button>
        </div>
      </Outside>
    );
  }
}
