// The roster, its keys, and who joins: made from their inputs and seeds, and
// read from bytes that are to be refused.

import crypto from "node:crypto";
import { blake3, blake3Keyed } from "./blake3.mjs";
import { hkdf, publicKey, scrypt, sign, x25519, x25519Public } from "./keys.mjs";
import { label, le64, raw } from "./names.mjs";
import { bytes, decode, string } from "./postcard.mjs";
import * as types from "./types.mjs";

const hex = (b) => b.toString("hex");
const stepsOf = (seed, domain, message, more = {}) => ({
  signer_key_hex: publicKey(seed), domain, signed_message_hex: message, signature_hex: sign(seed, message), ...more,
});
const signatures = (seeds, message) => seeds.map((s) => ({ key_hex: hex(publicKey(s)), signature_hex: hex(sign(s, message)) }));

function entry(i) {
  const proposer = raw(i.proposer_seed_hex);
  const value = { ...i, version: 1, proposer_hex: hex(publicKey(proposer)) };
  const unsigned = types.entryUnsigned.write(value);
  const hash = blake3(label("roster"), unsigned);
  const message = Buffer.concat([label("roster-sig"), raw(i.world_hex), hash, unsigned]);
  value.signatures = signatures([proposer, ...i.signer_seeds_hex.map(raw)], message);
  return { canonical: types.entry.write(value), hash, steps: stepsOf(proposer, "roster-sig", message) };
}

function approval(i) {
  const seed = raw(i.signer_seed_hex);
  const b = types.approved.write({ ...i, kind: i.kind });
  const domain = i.kind === 0 ? "admit-sig" : "evict-sig";
  const message = Buffer.concat([label(domain), raw(i.world_hex), blake3(label("roster-change"), b), b]);
  const value = { key_hex: hex(publicKey(seed)), expiry_epoch: i.expiry_epoch, signature_hex: hex(sign(seed, message)) };
  return { canonical: types.approval.write(value), steps: stepsOf(seed, domain, message) };
}

function choice(i) {
  const unsigned = types.choiceUnsigned.write(i);
  const hash = blake3(label("roster-choice"), unsigned);
  const message = Buffer.concat([label("choice-sig"), raw(i.world_hex), hash, unsigned]);
  const seeds = i.signer_seeds_hex.map(raw);
  return { canonical: types.choice.write({ ...i, signatures: signatures(seeds, message) }), hash, steps: stepsOf(seeds[0], "choice-sig", message) };
}

function boxes(i) {
  const seed = raw(i.signer_seed_hex);
  const message = Buffer.concat([label("boxes-sig"), raw(i.world_hex), blake3(label("roster-boxes"), types.boxesUnsigned.write(i))]);
  return { canonical: types.boxes.write({ ...i, signature_hex: hex(sign(seed, message)) }), steps: stepsOf(seed, "boxes-sig", message) };
}

function box(i) {
  const [ephemeral, wrap] = [raw(i.ephemeral_private_hex), raw(i.wrap_private_hex)];
  const [from, to, shared] = [x25519Public(ephemeral), x25519Public(wrap), x25519(ephemeral, x25519Public(wrap))];
  const info = Buffer.concat([string.write("culvert box"), ...[from, to, raw(i.world_hex), le64(i.generation)].map((p) => bytes.write(hex(p)))]);
  const key = hkdf(shared, info);
  const aead = crypto.createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  const sealed = Buffer.concat([aead.update(raw(i.group_master_hex)), aead.final()]);
  return {
    canonical: Buffer.concat([from, sealed, aead.getAuthTag()]), hash: blake3Keyed(raw(i.group_master_hex), label("roster-master"), raw(i.world_hex)),
    steps: { shared_hex: shared, box_key_hex: key, wrap_key_hex: to },
  };
}

function join(i) {
  const seed = raw(i.signer_seed_hex);
  const member = { key_hex: hex(publicKey(seed)), wrap_key_hex: i.wrap_key_hex, role: i.role, operator: i.operator };
  const unsigned = types.requestUnsigned.write({ ...i, version: 2, member });
  const message = Buffer.concat([label("join-sig"), raw(i.world_hex), blake3(label("roster-join"), unsigned), raw(i.transcript_hex), unsigned]);
  const signature = sign(seed, message);
  const key = scrypt(Buffer.from(i.phrase), raw(i.invite_id_hex));
  const proof = blake3Keyed(key, label("culvert join"), raw(i.transcript_hex), unsigned, signature);
  return { canonical: Buffer.concat([unsigned, signature, proof]), steps: stepsOf(seed, "join-sig", message, { phrase_key_hex: key, proof_hex: proof }) };
}

function syncProof(i) {
  const message = Buffer.concat([label("sync-sig"), raw(i.world_hex), raw(i.transcript_hex), label(i.side)]);
  return { steps: stepsOf(raw(i.signer_seed_hex), "sync-sig", message) };
}

export const roster = {
  roster_entry: entry, roster_approval: approval, roster_choice: choice, roster_boxes: boxes, roster_box: box, join_request: join, sync_proof: syncProof,
};

export const readers = {
  roster_entry: (b) => decode(types.entry, b),
  roster_choice: (b) => decode(types.choice, b),
  roster_boxes: (b) => decode(types.boxes, b),
  join_request: (b) => decode(types.request, b),
};
