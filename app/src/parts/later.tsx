// A view whose code is loaded when it is shown.

import type { ComponentType } from "preact";
import { useSession } from "../person/session.js";
import { LoadedView } from "./basics.js";
import { useLoad } from "./load.js";
import { loadPart } from "./loadPart.js";

export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  return function Later(props: P) {
    const { words } = useSession();
    const loaded = useLoad(async () => ({ View: await loadPart(load) }), load);
    return (
      <>
        {loaded.problem && <h1>{words.crash.title}</h1>}
        <LoadedView of={loaded} words={words}>
          {({ View }) => <View {...props} />}
        </LoadedView>
      </>
    );
  };
}
