package roster

import "github.com/culvert-net/culvert/mesh/world"

// Labels of hashes and keys that are no signatures.
const (
	labelEntry   = "roster"         // hash of an entry
	labelChange  = "roster-change"  // hash of a change, for approvals
	labelChoice  = "roster-choice"  // hash of a choice
	labelBoxes   = "roster-boxes"   // hash of an entry's boxes
	labelJoin    = "roster-join"    // hash of a request to join
	labelMaster  = "roster-master"  // hash of a master, in its entry
	labelRank    = "roster-rank"    // order in which members propose a rotation
	labelBox     = "culvert box"    // key of a sealed box, by HKDF
	labelRequest = "culvert join"   // a newcomer's proof of the phrase
	labelAnswer  = "culvert answer" // the inviter's proof of the phrase
)

// hash is the BLAKE3 hash of a label and what follows it.
func hash(label string, parts ...[]byte) world.Hash {
	b := []byte(label)
	for _, p := range parts {
		b = append(b, p...)
	}
	return world.Sum(b)
}
