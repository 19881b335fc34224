package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// leavesOf are n different leaves' hashes.
func leavesOf(n int) []ledger.Hash {
	out := make([]ledger.Hash, n)
	for i := range out {
		out[i] = ledger.Leaf{Seq: uint64(i) + 1, Status: ledger.StatusDone}.Hash()
	}
	return out
}

// naiveRoot is the definition of RFC 6962 §2.1, word for word.
func naiveRoot(leaves []ledger.Hash) ledger.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

// naivePath is PATH(m, D[n]) of the same section.
func naivePath(m int, leaves []ledger.Hash) []ledger.Hash {
	if len(leaves) == 1 {
		return nil
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	if m < k {
		return append(naivePath(m, leaves[:k]), naiveRoot(leaves[k:]))
	}
	return append(naivePath(m-k, leaves[k:]), naiveRoot(leaves[:k]))
}

func TestTranscriptAgainstTheDefinition(t *testing.T) {
	leaves := leavesOf(130)
	var log ledger.Transcript
	for n := range leaves {
		if log.Root() != naiveRoot(leaves[:n]) || log.Size() != uint64(n) {
			t.Fatalf("root of %d leaves: %s, want %s", n, log.Root(), naiveRoot(leaves[:n]))
		}
		// A copy from the disk goes on where it was left.
		back, err := ledger.DecodeTranscript(log.Bytes())
		if err != nil || back.Root() != log.Root() {
			t.Fatalf("%d leaves from the disk: %v", n, err)
		}
		clone := log.Clone()
		clone.AppendHash(ledger.Hash{1})
		back.AppendHash(leaves[n])
		log.AppendHash(leaves[n])
		if back.Root() != log.Root() || clone.Root() == log.Root() {
			t.Fatalf("%d leaves: copies do not go on as they should", n)
		}
	}
}

// Every leaf of every small log is proved, and no other leaf, place, size, root
// or path is.
func TestInclusion(t *testing.T) {
	all := leavesOf(40)
	for n := 1; n <= len(all); n++ {
		leaves := all[:n]
		root := naiveRoot(leaves)
		for i := range leaves {
			proof := ledger.ProveInclusion(leaves, i)
			if !slices.Equal(proof, naivePath(i, leaves)) {
				t.Fatalf("leaf %d of %d: another path than the definition's", i, n)
			}
			if err := ledger.VerifyInclusion(root, uint64(n), uint64(i), leaves[i], proof); err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
			for j := range leaves {
				if j != i && ledger.VerifyInclusion(root, uint64(n), uint64(j), leaves[i], proof) == nil {
					t.Fatalf("leaf %d of %d is proved to be leaf %d", i, n, j)
				}
			}
			for name, err := range map[string]error{
				"leaf":   ledger.VerifyInclusion(root, uint64(n), uint64(i), ledger.Hash{1}, proof),
				"root":   ledger.VerifyInclusion(ledger.Hash{1}, uint64(n), uint64(i), leaves[i], proof),
				"longer": ledger.VerifyInclusion(root, uint64(n), uint64(i), leaves[i], append(slices.Clone(proof), ledger.Hash{})),
				"beyond": ledger.VerifyInclusion(root, uint64(n), uint64(n), leaves[i], proof),
				"empty":  ledger.VerifyInclusion(root, 0, 0, leaves[i], proof),
			} {
				if !errors.Is(err, ledger.ErrProof) {
					t.Fatalf("leaf %d of %d, another %s: %v", i, n, name, err)
				}
			}
			for k := range proof {
				bad := slices.Clone(proof)
				bad[k][7] ^= 1
				if ledger.VerifyInclusion(root, uint64(n), uint64(i), leaves[i], bad) == nil ||
					ledger.VerifyInclusion(root, uint64(n), uint64(i), leaves[i], slices.Delete(slices.Clone(proof), k, k+1)) == nil {
					t.Fatalf("leaf %d of %d: hash %d does not matter", i, n, k)
				}
			}
		}
	}
}

// Every beginning of every small log is proved to be one, and no other log is.
func TestConsistency(t *testing.T) {
	all := leavesOf(40)
	for n := range len(all) + 1 {
		is := naiveRoot(all[:n])
		for m := range n + 1 {
			was := naiveRoot(all[:m])
			proof := ledger.ProveConsistency(all[:n], m)
			if err := ledger.VerifyConsistency(was, is, uint64(m), uint64(n), proof); err != nil {
				t.Fatalf("%d of %d: %v", m, n, err)
			}
			if ledger.VerifyConsistency(ledger.Hash{1}, is, uint64(m), uint64(n), proof) == nil {
				t.Fatalf("%d of %d: another old root is proved", m, n)
			}
			if m > 0 && ledger.VerifyConsistency(was, ledger.Hash{1}, uint64(m), uint64(n), proof) == nil {
				t.Fatalf("%d of %d: another new root is proved", m, n)
			}
			if ledger.VerifyConsistency(was, is, uint64(m), uint64(n), append(slices.Clone(proof), ledger.Hash{})) == nil {
				t.Fatalf("%d of %d: a longer proof holds", m, n)
			}
			if m < n && ledger.VerifyConsistency(is, was, uint64(n), uint64(m), proof) == nil {
				t.Fatalf("%d of %d: a log shrinks", m, n)
			}
			for k := range proof {
				bad := slices.Clone(proof)
				bad[k][7] ^= 1
				if ledger.VerifyConsistency(was, is, uint64(m), uint64(n), bad) == nil ||
					ledger.VerifyConsistency(was, is, uint64(m), uint64(n), slices.Delete(slices.Clone(proof), k, k+1)) == nil {
					t.Fatalf("%d of %d: hash %d does not matter", m, n, k)
				}
			}
			// A log whose past was changed.
			if m > 0 && m < n {
				other := slices.Clone(all[:n])
				other[m-1] = ledger.Hash{1}
				if ledger.VerifyConsistency(was, naiveRoot(other), uint64(m), uint64(n), ledger.ProveConsistency(other, m)) == nil {
					t.Fatalf("%d of %d: a changed past is proved", m, n)
				}
			}
		}
	}
}

// Every field is part of the leaf.
func TestLeaf(t *testing.T) {
	var none ledger.Leaf
	want := sha256.Sum256(make([]byte, 1+16+8+32+32+8+8+8+12+1))
	if none.Hash() != want {
		t.Errorf("%s, want %s", none.Hash(), hex.EncodeToString(want[:]))
	}
	seen := map[ledger.Hash]bool{none.Hash(): true}
	for i, l := range []ledger.Leaf{
		{RoundID: ledger.RoundID{1}},
		{Seq: 1},
		{RequestHash: ledger.Hash{1}},
		{ResponseHash: ledger.Hash{1}},
		{Input: 1},
		{Cached: 1},
		{Output: 1},
		{Cost: ledger.Wei(1)},
		{Status: ledger.StatusDone},
	} {
		if seen[l.Hash()] {
			t.Errorf("field %d is not part of the leaf", i)
		}
		seen[l.Hash()] = true
	}
}

func TestDecodeTranscriptRefuses(t *testing.T) {
	var log ledger.Transcript
	for _, h := range leavesOf(7) {
		log.AppendHash(h)
	}
	good := log.Bytes()
	for n := range good {
		if _, err := ledger.DecodeTranscript(good[:n]); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	huge := append(binary.BigEndian.AppendUint64(nil, ledger.MaxRounds+1), make([]byte, 2*32)...)
	for name, b := range map[string][]byte{"longer": append(bytes.Clone(good), 0), "huge": huge} {
		if _, err := ledger.DecodeTranscript(b); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTranscript(f *testing.F) {
	for _, n := range []int{0, 1, 5, 64} {
		var log ledger.Transcript
		for _, h := range leavesOf(n) {
			log.AppendHash(h)
		}
		f.Add(log.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		log, err := ledger.DecodeTranscript(b)
		if err != nil {
			if !errors.Is(err, ledger.ErrForm) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(log.Bytes(), b) {
			t.Fatalf("%x is written as %x", b, log.Bytes())
		}
		log.Root()
	})
}

// A proof from a stranger ends, and proves nothing that is not so.
func FuzzProofs(f *testing.F) {
	f.Add(uint64(5), uint64(3), []byte{})
	f.Add(uint64(1<<63), uint64(1<<62), make([]byte, 64*32))
	f.Fuzz(func(t *testing.T, size, at uint64, b []byte) {
		var proof []ledger.Hash
		for ; len(b) >= 32; b = b[32:] {
			proof = append(proof, ledger.Hash(b[:32]))
		}
		root := ledger.Hash{1}
		if ledger.VerifyInclusion(root, size, at, ledger.Hash{2}, proof) == nil {
			t.Fatal("a made-up root is proved")
		}
		if at > 0 && ledger.VerifyConsistency(ledger.Hash{2}, root, at, size, proof) == nil {
			t.Fatal("a made-up past is proved")
		}
	})
}

func BenchmarkTranscript(b *testing.B) {
	var log ledger.Transcript
	leaf := ledger.Leaf{Status: ledger.StatusDone}
	b.ReportAllocs()
	for b.Loop() {
		leaf.Seq++
		log.Append(leaf)
		log.Root()
	}
}
