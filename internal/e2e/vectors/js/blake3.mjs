// BLAKE3, written from the paper: hash and keyed hash of any length, 32 bytes
// out. It is slow and short on purpose: it is here to disagree with a fast one.

const IV = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const BLOCK = 64;
const CHUNK = 1024;
const CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8, KEYED = 16;

const rotate = (x, n) => ((x >>> n) | (x << (32 - n))) >>> 0;

function g(v, a, b, c, d, x, y) {
  v[a] = (v[a] + v[b] + x) >>> 0;
  v[d] = rotate(v[d] ^ v[a], 16);
  v[c] = (v[c] + v[d]) >>> 0;
  v[b] = rotate(v[b] ^ v[c], 12);
  v[a] = (v[a] + v[b] + y) >>> 0;
  v[d] = rotate(v[d] ^ v[a], 8);
  v[c] = (v[c] + v[d]) >>> 0;
  v[b] = rotate(v[b] ^ v[c], 7);
}

// compress gives the eight words of the new chaining value.
function compress(chaining, block, counter, length, flags) {
  let m = [...block];
  const v = [...chaining, ...IV.slice(0, 4), counter >>> 0, Math.floor(counter / 2 ** 32) >>> 0, length, flags];
  for (let round = 0; round < 7; round++) {
    g(v, 0, 4, 8, 12, m[0], m[1]);
    g(v, 1, 5, 9, 13, m[2], m[3]);
    g(v, 2, 6, 10, 14, m[4], m[5]);
    g(v, 3, 7, 11, 15, m[6], m[7]);
    g(v, 0, 5, 10, 15, m[8], m[9]);
    g(v, 1, 6, 11, 12, m[10], m[11]);
    g(v, 2, 7, 8, 13, m[12], m[13]);
    g(v, 3, 4, 9, 14, m[14], m[15]);
    m = PERMUTATION.map((i) => m[i]);
  }
  return IV.map((_, i) => (v[i] ^ v[i + 8]) >>> 0);
}

function words(bytes) {
  const padded = Buffer.alloc(Math.max(BLOCK, bytes.length));
  padded.set(bytes);
  return Array.from({ length: padded.length / 4 }, (_, i) => padded.readUInt32LE(4 * i));
}

// A node is what its last compression takes, so that the root can have a flag.
function chunk(key, bytes, counter, flags) {
  let chaining = key;
  let start = CHUNK_START;
  while (bytes.length > BLOCK) {
    chaining = compress(chaining, words(bytes.subarray(0, BLOCK)), counter, BLOCK, flags | start);
    bytes = bytes.subarray(BLOCK);
    start = 0;
  }
  return [chaining, words(bytes), counter, bytes.length, flags | start | CHUNK_END];
}

// The left part of a tree holds the largest power of two of chunks that leaves
// something for the right.
function tree(key, bytes, counter, flags) {
  if (bytes.length <= CHUNK) return chunk(key, bytes, counter, flags);
  let left = CHUNK;
  while (2 * left < bytes.length) left *= 2;
  const a = compress(...tree(key, bytes.subarray(0, left), counter, flags));
  const b = compress(...tree(key, bytes.subarray(left), counter + left / CHUNK, flags));
  return [key, [...a, ...b], 0, BLOCK, flags | PARENT];
}

function run(key, bytes, flags) {
  const [chaining, block, counter, length, last] = tree(key, bytes, 0, flags);
  const out = Buffer.alloc(32);
  compress(chaining, block, counter, length, last | ROOT).forEach((w, i) => out.writeUInt32LE(w, 4 * i));
  return out;
}

export const blake3 = (...parts) => run(IV, Buffer.concat(parts), 0);
export const blake3Keyed = (key, ...parts) => run(words(key).slice(0, 8), Buffer.concat(parts), KEYED);
