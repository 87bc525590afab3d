// Checks the licences of all packages that the page is made of, and of those with which it is made: `make deny`.

import { readFileSync } from "node:fs";

/** What is published with the page. */
const shipped = ["Apache-2.0", "MIT", "BSD-3-Clause", "ISC"];
/** Tools of development, of which nothing is published. */
const tools = [...shipped, "0BSD", "BSD-2-Clause", "BlueOak-1.0.0", "MPL-2.0", "(Apache-2.0 AND MIT)"];

const { packages } = JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url), "utf8"));
const refused = Object.entries(packages).filter(([path, { license, dev }]) => path && !(dev ? tools : shipped).includes(license));
for (const [path, { license, version }] of refused) console.error(`error: ${path} ${version} has the licence ${license}`);
process.exitCode = refused.length > 0 ? 1 : 0;
