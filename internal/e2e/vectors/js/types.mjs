// The types of docs/spec/world.md and docs/spec/event.md, with the names that
// fields have in vectors.

import { array, bytes, f64, option, plain, refuse, sequence, sized, string, struct, u32, u64, u8, variants, varint } from "./postcard.mjs";

const hash = array(32);
const text = (v) => Buffer.from(v, "utf8");
const raw = (v) => Buffer.from(v, "hex");

export const ruleBundle = struct({
  version: u32, epoch_len_ms: u64, exploration_rate: f64, disagreement_quarantine_threshold: f64, min_diverse_probers: u32,
  max_probe_redundancy: u32, default_circuit_len: u32, relay_batch_max_delay_ms: u32, fixed_cell_bytes: u32, w_success: f64,
  w_tool_fidelity: f64, w_latency: f64, w_refusal_consistency: f64, w_robustness: f64,
});

export const charter = struct({
  version: u32, founders_hex: sequence(hash), founder_threshold: u32, mode: plain(3), directory_signers_hex: sequence(hash),
  directory_threshold: u32, circuit_suite: u8, chain: option(struct({ chain_id: u64, contract_hex: array(20), runtime_code_hash_hex: hash })),
  event_horizon_s: u64, quota_per_author: u32, ticket_bits: u32, content_policy_hash_hex: hash,
});

export const adapter = struct({ adapter_type: string, adapter_id: string, adapter_digest_hex: hash });

export const manifest = struct({
  base_model_id: string, weights_digest_hex: hash, runtime_id: string, context_limit: u32, tool_schemas_digest_hex: hash, safety_mode: string,
  adapters: sequence(adapter, (a) => [text(a.adapter_type), text(a.adapter_id), raw(a.adapter_digest_hex)]),
});

export const capability = variants({ fah_hex: hash, manifest });

export const unsigned = struct({
  world_hex: hash, descriptor_epoch: u64, contact_points: sequence(string, text), capability,
});

export const descriptor = struct({ descriptor_id_hex: hash, unsigned, key_hex: sized(32), signature_hex: sized(64) });

export const metrics = struct({
  success_rate: f64, refusal_consistency: f64, tool_fidelity: f64, latency_p50_ms: u32, latency_p95_ms: u32, robustness_score: f64,
  drift_indicator: f64, freshness: plain(3),
});

export const statement = struct({
  world_hex: hash, slot: variants({ root: struct({ number: u64 }), seal: struct({ number: u64 }) }), content_hex: hash,
});

export const terrain = struct({ epoch_id: u64, region_id: u64, chunk_id: u64, cell_id: u32 });

// A ticket is its nonce, anchor and output in one byte vector, and the one set
// of parameters.
const parameters = [16384, 8, 1];
const ticket = {
  min: 4,
  write: (t) => Buffer.concat([bytes.write(t.nonce_hex + t.anchor_hex + t.output_hex), ...parameters.map(varint)]),
  read: (r) => {
    const b = bytes.read(r);
    if (b.length < 128 || b.length > 128 + 256) refuse("ticket_form");
    for (const p of parameters) if (r.varint(32) !== BigInt(p)) refuse("ticket_form");
    return { nonce_hex: b.slice(0, 64), anchor_hex: b.slice(64, -64), output_hex: b.slice(-64) };
  },
};

const anchor = {
  min: 1,
  write: bytes.write,
  read: (r) => {
    const b = bytes.read(r);
    return b === "" ? refuse("size") : b;
  },
};

const place = { world_hex: hash, epoch_id: u64 };
const key = { key_hex: sized(32) };

// The nine bodies, in the order of the body enum: type number, domain, whether
// the body carries its own id, and its unsigned fields.
export const bodies = Object.entries({
  receipt: [1, "receipt-sig", true, {
    ...place, challenge_id_hex: hash, target_ref_hex: hash, target_fah_hex: option(hash), outcome_commitment_hex: hash, ticket: option(ticket), ...key,
  }],
  attestation: [2, "attest-sig", true, {
    ...place, challenge_id_hex: hash, target_ref_hex: hash, target_fah_hex: option(hash), metrics, evidence_commitment_hex: hash,
    freshness_anchor_hex: option(anchor), ...key,
  }],
  dispute: [3, "dispute-sig", false, { ...place, event_a_hex: hash, event_b_hex: hash, reason: string, ...key }],
  link_hint: [4, "linkhint-sig", false, {
    ...place, target_a_hex: hash, target_b_hex: hash, evidence_commitment_hex: hash, compatibility_score: f64, ...key,
  }],
  rule_endorsement: [5, "endorse-sig", false, { ...place, rule_bundle_hash_hex: hash, weight: f64, ...key }],
  descriptor_publish: [9, "desc-sig", false, null],
  shard: [6, "shard-sig", true, { source_type: string, redacted_payload_hex: bytes, payload_digest_hex: hash, ...key }],
  verdict: [7, "verdict-sig", false, { ...place, shard_id_hex: hash, verdict: string, reasons: sequence(string), ...key }],
  training_manifest: [8, "manifest-sig", true, {
    base_model_id: string, model_artifact_digest_hex: hash, shard_ids_hex: sequence(hash), method: string, eval_report_digest_hex: hash, ...key,
  }],
}).map(([name, [type, domain, carriesID, fields]]) => ({
  name, type, domain, carriesID, placed: fields === null || "world_hex" in fields,
  unsigned: fields && struct(fields),
  whole: fields
    ? struct({ ...(carriesID ? { id_hex: hash } : {}), ...fields, signature_hex: sized(64) })
    : struct({ ...place, descriptor }),
}));

export const body = variants(Object.fromEntries(bodies.map((b) => [b.name, b.whole])));

export const envelope = struct({ event_id_hex: hash, world_hex: hash, epoch_id: u64, type: plain(10) });

// The roster's types, of docs/spec/roster.md §1, §4 and §6.
const signature64 = array(64);

const member = struct({ key_hex: hash, wrap_key_hex: hash, role: plain(4), operator: string });

const rosterTicket = {
  min: 2,
  write: (t) => Buffer.concat([u64.write(t.epoch_id), bytes.write(t.nonce_hex + t.anchor_hex + t.output_hex)]),
  read: (r) => {
    const epoch_id = u64.read(r);
    const b = bytes.read(r);
    if (b.length < 128 || b.length > 128 + 256) refuse("ticket_form");
    return { epoch_id, nonce_hex: b.slice(0, 64), anchor_hex: b.slice(64, -64), output_hex: b.slice(-64) };
  },
};

export const approval = struct({ key_hex: hash, expiry_epoch: u64, signature_hex: signature64 });

const change = struct({ kind: plain(2), member, ticket: option(rosterTicket), approvals: sequence(approval, (a) => raw(a.key_hex)) });

const signatures = sequence(struct({ key_hex: hash, signature_hex: signature64 }), (s) => raw(s.key_hex));

const entryFields = {
  version: u32, world_hex: hash, generation: u64, previous_hex: hash, epoch_id: u64, time_ms: u64,
  changes: sequence(change, (c) => raw(c.member.key_hex)), master_hash_hex: hash, proposer_hex: hash,
};

export const entryUnsigned = struct(entryFields);
export const entry = struct({ ...entryFields, signatures });

// What an approval is for, as it stands under its signature.
export const approved = struct({ kind: plain(2), member, standing_hex: hash, proposer_hex: hash, expiry_epoch: u64 });

const choiceFields = { world_hex: hash, parent_hex: hash, chosen_hex: hash, number: u64 };

export const choiceUnsigned = struct(choiceFields);
export const choice = struct({ ...choiceFields, signatures });

const boxesFields = { world_hex: hash, entry_hex: hash, boxes: sequence(struct({ key_hex: hash, box_hex: array(80) }), (b) => raw(b.key_hex)) };

export const boxesUnsigned = struct(boxesFields);
export const boxes = struct({ ...boxesFields, signature_hex: signature64 });

const requestFields = { version: u32, world_hex: hash, invite_id_hex: array(16), member, ticket: option(rosterTicket), approval: option(approval) };

export const requestUnsigned = struct(requestFields);
export const request = struct({ ...requestFields, signature_hex: signature64, proof_hex: hash });
