// What was read and has not changed since is not read again, and what is being read is not asked for twice.

interface Kept {
  value: Promise<unknown>;
  /** What the value tells of: it is forgotten when one of these changes. Unknown until it has arrived. */
  about?: ReadonlySet<string>;
  /** From this Unix time on it may be something else, though nobody has acted. */
  until?: bigint;
}

/** What a value tells of, and until when it holds by itself. */
export interface About {
  about: Iterable<string>;
  until?: bigint;
}

export class Cache {
  private readonly kept = new Map<string, Kept>();
  /** Whether something could not be read since this was asked last. */
  private failed = false;

  /** Answers what is kept under the key, or reads it. */
  read<T>(key: string, read: () => Promise<T>, of: (value: T) => About): Promise<T> {
    const known = this.kept.get(key);
    // Whoever keeps under a key reads under it, too, so that the type is the same.
    if (known) return known.value as Promise<T>;
    const value = read();
    const kept: Kept = { value };
    this.kept.set(key, kept);
    value.then(
      (value) => this.describe(kept, of(value)),
      () => {
        this.failed = true;
        if (this.kept.get(key) === kept) this.kept.delete(key);
      },
    );
    return value;
  }

  /** Keeps a value that came with another one. */
  keep(key: string, value: unknown, of: About): void {
    const kept: Kept = { value: Promise.resolve(value) };
    this.describe(kept, of);
    this.kept.set(key, kept);
  }

  private describe(kept: Kept, { about, until }: About): void {
    kept.about = new Set(about);
    kept.until = until;
  }

  /** Forgets what tells of these, what is over by now, and what is only being read. Answers whether there was any, or something could not be read. */
  forget(changed: Iterable<string>, now: bigint): boolean {
    const names = new Set(changed);
    const before = this.kept.size;
    for (const [key, { about, until }] of this.kept) {
      const touched = about ? [...about].some((name) => names.has(name)) : names.size > 0;
      if (touched || (until !== undefined && until < now)) this.kept.delete(key);
    }
    const { failed } = this;
    this.failed = false;
    return failed || this.kept.size < before;
  }

  forgetAll(): void {
    this.kept.clear();
    this.failed = false;
  }
}
