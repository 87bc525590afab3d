// Programs that end when this one does.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

export interface Guarded {
  child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Fails when the program ends before it is stopped. */
  ended: Promise<never>;
  stop(): Promise<void>;
}

/** Ends the program "$@" when this process ends, however it does: then its standard input closes. */
const GUARD = 'exec 3<&0; "$@" </dev/null & program=$!; exec 2>/dev/null; { read -r _ <&3; kill $program; } & exec 3<&-; wait $program';

export function guard(name: string, program: string, options: string[], env: NodeJS.ProcessEnv): Guarded {
  // Detached: Ctrl-C reaches this process, which stops the program when it has done what it is about to do.
  const child = spawn("sh", ["-c", GUARD, "sh", program, ...options], { stdio: ["pipe", "pipe", "pipe"], detached: true, env });
  const exit = once(child, "exit");
  const ended = exit.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)));
  ended.catch(() => undefined);
  return {
    child,
    ended,
    async stop() {
      child.stdin.end();
      await exit;
    },
  };
}
