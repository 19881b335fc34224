// Computes the vectors of the files named on the command line, without any code
// of the product, and compares every value. Exit 1 on the first file with one
// that differs.

import fs from "node:fs";
import { blake3, blake3Keyed } from "./blake3.mjs";
import { accepted, events } from "./events.mjs";
import { names } from "./names.mjs";
import { roster } from "./roster.mjs";

const kinds = { ...names, ...events, ...roster };
const hex = (v) => (Buffer.isBuffer(v) ? v.toString("hex") : v ?? "");

// The hash comes first: of the published test vectors of BLAKE3, lengths that
// end in a block, a chunk and a tree.
const input = (n) => Buffer.from(Array.from({ length: n }, (_, i) => i % 251));
const known = {
  0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
  1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
  1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
};
for (const [n, want] of Object.entries(known)) {
  if (hex(blake3(input(Number(n)))) !== want) throw new Error(`BLAKE3 of ${n} bytes is ${hex(blake3(input(Number(n))))}`);
}
if (hex(blake3Keyed(Buffer.from("whats the Elvish word for friend"), input(0))) !== "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26") {
  throw new Error("keyed BLAKE3");
}

// problems lists what differs in one vector.
function problems(v) {
  const kind = v.kind ?? v.name;
  if (!kinds[kind]) return [`no such kind: ${kind}`];
  const got = kinds[kind](v.inputs);
  const wrong = [];
  const compare = (name, there, want) => {
    if (there !== want) wrong.push(`${name}: expected ${want}, and there is ${there}`);
  };
  if (v.canonical_bytes_hex || v.kind) compare("canonical_bytes_hex", v.canonical_bytes_hex, hex(got.canonical));
  compare("hash_hex", v.hash_hex, hex(got.hash));
  const steps = v.kind ? v.steps ?? {} : Object.fromEntries(Object.keys(got.steps ?? {}).map((name) => [name, v.inputs[name]]));
  for (const name of new Set([...Object.keys(steps), ...Object.keys(got.steps ?? {})])) {
    compare(name, steps[name], hex(got.steps?.[name]));
  }
  if (got.canonical && !accepted(kind, got.canonical)) wrong.push("what was made is refused");
  return wrong;
}

let failed = 0;
let passed = 0;
for (const path of process.argv.slice(2)) {
  const file = JSON.parse(fs.readFileSync(path, "utf8"));
  for (const v of Array.isArray(file) ? file : file.vectors) {
    const wrong = problems(v);
    wrong.length ? failed++ : passed++;
    for (const line of wrong) console.log(`MISMATCH ${v.name}: ${line}`);
  }
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed || !passed ? 1 : 0);
