// Compiles Market.sol, and what tests put around it, and writes what Go needs of them into market/: ABIs and bytecode. With
// -check it writes nothing, and fails where a file is not what it would write.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const check = process.argv.includes("-check");

// The same as in foundry.toml. Paris: chains other than Ethereum lack newer opcodes. No metadata hash: the code is that of the
// source, whatever its comments say. viaIR: a claim costs a thousand less.
export const settings = {
  evmVersion: "paris",
  optimizer: { enabled: true, runs: 1_000_000 },
  viaIR: true,
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

function compile(sources) {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources.map((name) => [name, { content: readFileSync(join(here, name), "utf8") }])),
    settings: { ...settings, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
  };
  const load = (name) => ({ contents: readFileSync(join(here, "node_modules", name), "utf8") });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: load }));
  // Warnings about the market count; others do odd things on purpose, or are not ours.
  const ours = (output.errors ?? []).filter((e) => e.severity === "error" || e.sourceLocation?.file.startsWith("src/"));
  for (const e of ours) console.error(e.formattedMessage);
  if (ours.length) process.exit(1);
  return output.contracts;
}

let stale = 0;
function write(name, text) {
  const path = join(here, name);
  if (!check) {
    writeFileSync(path, text);
    return;
  }
  let old = "";
  try {
    old = readFileSync(path, "utf8");
  } catch {}
  if (old !== text) {
    console.error(`${name} is not what its source compiles to; run: go generate ./contracts/...`);
    stale++;
  }
}

const all = compile(["src/Market.sol", "test/Helpers.sol"]);
const { Market } = all["src/Market.sol"];
write("market/Market.abi", JSON.stringify(Market.abi, null, 1) + "\n");
write("market/Market.bin", Market.evm.bytecode.object + "\n");
const helpers = Object.entries(all["test/Helpers.sol"]).map(([name, c]) => [name, { abi: c.abi, bin: c.evm.bytecode.object }]);
write("market/testdata/helpers.json", JSON.stringify(Object.fromEntries(helpers), null, 1) + "\n");
process.exit(stale ? 1 : 0);
