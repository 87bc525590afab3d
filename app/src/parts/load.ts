// Reading from the network while a view is shown.

import { useEffect, useState } from "preact/hooks";
import { problemOf, type ContractProblem, type Problem } from "../words/problem.js";

export interface Loaded<T> {
  value?: T;
  problem?: Problem | ContractProblem;
  reload: () => void;
}

/** Reads again whenever one of the inputs changes. Until the answer is there, what was read before is shown, if it is about the same `subject`. */
export function useLoad<T>(read: () => Promise<T>, subject: unknown, version?: unknown): Loaded<T> {
  const [tries, setTries] = useState(0);
  const [loaded, setLoaded] = useState<{ subject: unknown; value?: T; problem?: Problem | ContractProblem }>();
  useEffect(() => {
    let current = true;
    read().then(
      (value) => current && setLoaded({ subject, value }),
      (error: unknown) => current && setLoaded({ subject, problem: problemOf(error) }),
    );
    return () => {
      current = false;
    };
  }, [subject, version, tries]);
  const reload = () => setTries(tries + 1);
  return loaded && loaded.subject === subject ? { value: loaded.value, problem: loaded.problem, reload } : { reload };
}
