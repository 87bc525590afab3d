// What a view does when its call has gone through.

import { useEffect, useRef } from "preact/hooks";
import type { Call } from "../contract/calls.js";
import { useSession } from "../person/session.js";
import type { Receipt } from "../signing/submit.js";

type Of<M extends Call["method"]> = Extract<Call, { method: M }>;

/** Calls back once for each call of this method that goes through while the view is shown. */
export function useDone<M extends Call["method"]>(method: M, then: (call: Of<M>, receipt: Receipt) => void): void {
  const { done } = useSession();
  const seen = useRef(done?.number);
  useEffect(() => {
    if (!done || done.number === seen.current) return;
    seen.current = done.number;
    if (done.call.method === method) then(done.call as Of<M>, done.receipt);
  }, [done]);
}
