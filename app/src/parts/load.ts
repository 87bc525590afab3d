// Reading from the network while a view is shown.

import { useEffect, useState } from "preact/hooks";
import { problemOf, type ContractProblem, type Problem } from "../words/problem.js";

export interface Loaded<T> {
  value?: T;
  /** When the value was read, if something has failed since. */
  asOf?: Date;
  problem?: Problem | ContractProblem;
  reload: () => void;
}

interface State<T> {
  subject: unknown;
  at: Date;
  value?: T;
  problem?: Problem | ContractProblem;
}

/**
 * Reads again whenever one of the inputs changes. What was read before about the same `subject` is shown until the answer is there, and stays if there is none.
 * A reading of many requests stops when its signal says that nobody waits for it any more.
 */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, subject: unknown, version?: unknown): Loaded<T> {
  const [tries, setTries] = useState(0);
  const [loaded, setLoaded] = useState<State<T>>();
  useEffect(() => {
    const waits = new AbortController();
    const { signal } = waits;
    read(signal).then(
      (value) => {
        if (!signal.aborted) setLoaded({ subject, at: new Date(), value });
      },
      (error: unknown) => {
        if (signal.aborted) return;
        const problem = problemOf(error);
        setLoaded((before) => (before && before.subject === subject ? { ...before, problem } : { subject, at: new Date(), problem }));
      },
    );
    return () => waits.abort();
  }, [subject, version, tries]);
  const reload = () => setTries(tries + 1);
  if (!loaded || loaded.subject !== subject) return { reload };
  const { value, problem, at } = loaded;
  return problem ? { value, problem, asOf: at, reload } : { value, reload };
}
