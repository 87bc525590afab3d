// Counts checks, and says how they went.

let passed = 0;
let failed = 0;

/** A check of its own: if it fails, the others go on. */
export async function check(what: string, run: () => Promise<void> | void): Promise<boolean> {
  const start = performance.now();
  try {
    await run();
    passed++;
    console.log(`✓ ${what} (${Math.round(performance.now() - start)} ms)`);
    return true;
  } catch (error) {
    failed++;
    console.log(`✗ ${what}\n${error instanceof Error ? error.stack : String(error)}`);
    return false;
  }
}

/** A step of a story: what comes after it cannot be without it. */
export async function step(what: string, run: () => Promise<void> | void): Promise<void> {
  if (!(await check(what, run))) throw new StoryEnded(what);
}

class StoryEnded extends Error {}

/** A story ends at its first failed step, and the next begins. */
export async function story(title: string, tell: () => Promise<void>): Promise<void> {
  console.log(`\n${title}`);
  try {
    await tell();
  } catch (error) {
    if (!(error instanceof StoryEnded)) await check(title, () => {
        throw error;
      });
  }
}

export function summary(): number {
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
