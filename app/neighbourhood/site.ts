// Serves the built page on this machine, with its contract, and with the names of those who can be played.

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import type { AddressInfo } from "node:net";

const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

export interface Site {
  url: string;
  stop(): void;
}

/** Whoever asks for no contract is sent to this one: a browser keeps the fragment of the link, where the play key is. */
export async function serve(folder: string, port: number, query: string, neighbours: Record<string, string>): Promise<Site> {
  const files = new Map<string, Buffer>([["/neighbours.json", Buffer.from(JSON.stringify(neighbours))]]);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(path.slice(folder.length).replaceAll("\\", "/"), readFileSync(path));
  }
  const server = createServer(({ url = "/", headers }, answer) => {
    const [pathname = "", search] = url.split("?");
    const path = pathname === "/" ? "/index.html" : pathname;
    const body = files.get(path);
    // Asked by another name, the page would run as part of whatever site gave this machine that name.
    const isOwn = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? "");
    if (!body || !isOwn) answer.writeHead(404).end();
    else if (path === "/index.html" && !search) answer.writeHead(302, { location: `/${query}` }).end();
    else {
      const type = TYPES[extname(path)] ?? "application/octet-stream";
      answer.writeHead(200, { "content-type": type, "cache-control": "no-cache" }).end(body);
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
