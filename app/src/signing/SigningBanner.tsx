// What was signed and is not shown in the dialog any more, over whatever view.

import { describe } from "../contract/describe.js";
import { useSession } from "../person/session.js";
import type { Signing } from "./signing.js";
import { SigningStatus, WayButtons } from "./SigningStatus.js";
import { shownIn } from "./story.js";

export function SigningBanner({ signing: { state, press } }: { signing: Signing }) {
  const session = useSession();
  const { words } = session;
  // It is there from the beginning, so that a screen reader says what it shows later.
  return (
    <div aria-live="polite">
      {shownIn(state) === "banner" && (
        <section class="card stack banner" aria-label={words.sign.banner}>
          {state.at === "stopped" && (
            <>
              <p class="sentence">{describe(state.job.call, session)}</p>
              <p>{words.sign.stopped}</p>
            </>
          )}
          {"signed" in state && (
            <>
              {!(state.at === "ended" && state.end.kind === "done") && <p class="sentence">{describe(state.signed.call, session)}</p>}
              <SigningStatus state={state} press={press} />
            </>
          )}
          <WayButtons state={state} press={press} />
        </section>
      )}
    </div>
  );
}
