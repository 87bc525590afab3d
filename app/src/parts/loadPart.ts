// Parts of the page that are loaded when they are needed.

import { Problem } from "../words/problem.js";

/** What is not there, without a connection or because the page was replaced by a newer one, is a problem like others: it is told, and can be tried again. */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch {
    throw new Problem("notLoaded");
  }
}
