package roster

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// vectors are the values of testdata/vectors.json: what is signed and hashed
// for one entry, step by step.
func vectors(t *testing.T) map[string]string {
	w, founders := testWorld(t, spec{n: 2, m: 1, t: 2})
	f, p := founders[0], someone(20, "op-20")
	master := world.NewSecret([32]byte{1, 2, 3})
	c := Change{Kind: Add, Member: p.Member}
	standing, expiry := world.Hash{9}, w.Epoch(start())+1
	a := signApproval(f.key, w.ID, Petition{f.Key, c}, standing, expiry)
	c.Approvals = []Approval{a}
	e := Entry{
		Version: 1, World: w.ID, Generation: 2, Previous: world.Hash{8}, Epoch: w.Epoch(start()), Time: uint64(start().UnixMilli()),
		Changes: []Change{c}, MasterHash: masterHash(w.ID, master), Proposer: f.Key,
	}
	e.Sign(f.key)
	choice := Choice{World: w.ID, Parent: world.Hash{8}, Chosen: e.Hash(), Number: 3}
	choice.Sign(f.key)
	boxes := Boxes{World: w.ID, Entry: e.Hash(), Sealed: []Sealed{{Key: p.Key, Box: Box{7}}}}
	id, tr := InviteID{5}, Transcript{6}
	phrase := world.PhraseAddress([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	secret, err := phraseKey(id, phrase)
	if err != nil {
		t.Fatal(err)
	}
	q := Request{Version: requestVersion, World: w.ID, Invite: id, Member: p.Member, Approval: &a}
	shared := world.Hash{4}
	key := boxKey(w.ID, 2, shared[:], [32]byte{3}, p.Wrap).Reveal()
	k := secret.Reveal()
	requestProof, answerProof := q.proof(secret, tr), Answer{Kind: Pending, Missing: 1}.proof(secret, tr)
	hashes := map[string]world.Hash{
		"world": w.ID, "master_hash": e.MasterHash, "entry_hash": e.Hash(), "choice_hash": choice.Hash(),
		"box_key": key, "phrase_key": k, "request_proof": requestProof, "answer_proof": answerProof,
	}
	out := map[string]string{
		"phrase":             phrase,
		"approval_message":   hex.EncodeToString(ApprovalMessage(w.ID, Petition{f.Key, c}, standing, expiry)),
		"approval":           hex.EncodeToString(a.Canonical()),
		"removal_message":    hex.EncodeToString(ApprovalMessage(w.ID, Petition{f.Key, Change{Kind: Remove, Member: p.Member}}, standing, expiry)),
		"entry":              hex.EncodeToString(e.Canonical()),
		"entry_message":      hex.EncodeToString(e.SignedMessage()),
		"choice":             hex.EncodeToString(choice.Canonical()),
		"choice_message":     hex.EncodeToString(choice.SignedMessage()),
		"boxes":              hex.EncodeToString(boxes.Canonical()),
		"boxes_message":      hex.EncodeToString(boxes.SignedMessage()),
		"request":            hex.EncodeToString(q.Canonical()),
		"request_message":    hex.EncodeToString(q.SignedMessage(tr)),
		"answer_not_proved":  hex.EncodeToString(Answer{Kind: Pending, Missing: 1}.appendUnproved(nil)),
		"founder_public_key": hex.EncodeToString(f.Key[:]),
	}
	for name, h := range hashes {
		out[name] = h.String()
	}
	return out
}

// The bytes of every message and derivation are those that were published.
func TestVectors(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	got := vectors(t)
	for name, v := range got {
		if want[name] != v {
			t.Errorf("%s = %s, want %s", name, v, want[name])
		}
	}
	if len(want) != len(got) {
		t.Errorf("%d vectors in the file, want %d", len(want), len(got))
	}
}

// Files of format 1 stay readable.
func TestGolden(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{chainFile, "group.keys"} {
		b, err := os.ReadFile(filepath.Join("testdata", "format-1", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, _ := testWorld(t, spec{n: 1, m: 1, t: 1})
	c := openTest(t, dir, w)
	ring, err := OpenKeyring(filepath.Join(dir, "group.keys"), c.Roster())
	if err != nil {
		t.Fatal(err)
	}
	generation, _ := c.Roster().Head()
	newest, ok := ring.Newest()
	if generation != 2 || newest != 2 || !ok || len(c.Roster().Entries(0)) != 3 || len(c.Roster().Choices()) != 1 {
		t.Errorf("head = %d, newest master %d, %v, %d entries", generation, newest, ok, len(c.Roster().Entries(0)))
	}
	if _, err := ring.TargetKey(w.Epoch(start()) + 1); err != nil {
		t.Error(err)
	}
}
