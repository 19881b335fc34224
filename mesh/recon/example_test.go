package recon_test

import (
	"errors"
	"fmt"
	"log"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/recon"
)

// Two members compare their sets. Every value named like a message crosses the
// wire; each side uses nothing else of the other.
func Example() {
	ours, theirs := ids("common", 1000), ids("common", 1000)
	ours = append(ours, ids("ours", 3)...)
	theirs = append(theirs, ids("theirs", 2)...)

	// One round: fingerprints, kept while the sets grew. Equal ones would end it.
	ourSum, theirSum := fingerprint(ours), fingerprint(theirs)
	fmt.Println("equal:", ourSum == theirSum)

	// Short ids are of this session: its key has a nonce of each side in it.
	key := blake3.Sum256([]byte("nonce, nonce, epoch key"))
	ourNames, theirNames := names(&key, ours), names(&key, theirs)

	// They send cells: some with their fingerprint, the rest as we ask.
	encoder := encode(&key, theirNames)
	decoder := recon.NewDecoder(encode(&key, ourNames))
	firstMessage := encoder.First(uint64(len(ours)))
	err := decoder.First(firstMessage)
	for err == nil {
		var request int
		if request, err = decoder.Want(); err != nil || request == 0 {
			break
		}
		var cellsMessage []byte
		if cellsMessage, err = encoder.Next(request); err == nil {
			err = decoder.Next(cellsMessage)
		}
	}
	switch {
	case err == nil:
		fmt.Println("to give:", len(decoder.Local()), "to take:", len(decoder.Remote()))
	case !errors.Is(err, recon.ErrLimit):
		log.Fatal(err) // a lie
	}

	// What is taken is asked for by its short id, and what arrives tells its id.
	for _, short := range decoder.Remote() {
		ours = append(ours, theirNames[short])
	}
	for _, short := range decoder.Local() {
		theirs = append(theirs, ourNames[short])
	}
	fmt.Println("equal:", fingerprint(ours) == fingerprint(theirs))

	// Had they not been, or had the cells not sufficed: ranges of full ids.
	theirs = append(theirs, ids("late", 1)...)
	us := recon.NewRanges(&key, recon.Sort(ours), recon.Limits{})
	they := recon.NewRanges(&key, recon.Sort(theirs), recon.Limits{})
	message := us.Initiate()
	for !us.Done() {
		reply, err := they.Respond(message)
		if err != nil {
			log.Fatal(err)
		}
		if message, err = us.Respond(reply); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("to give:", len(us.Have()), "to take:", len(us.Need()))

	// Output:
	// equal: false
	// to give: 3 to take: 2
	// equal: true
	// to give: 0 to take: 1
}

func ids(kind string, n int) []recon.ID {
	all := make([]recon.ID, n)
	for i := range all {
		all[i] = blake3.Sum256(fmt.Appendf(nil, "%s %d", kind, i))
	}
	return all
}

func fingerprint(ids []recon.ID) [32]byte {
	var f recon.Fingerprint
	for i := range ids {
		f.Add(&ids[i])
	}
	return f.Sum()
}

func names(key *recon.Key, ids []recon.ID) map[uint64]recon.ID {
	m := make(map[uint64]recon.ID, len(ids))
	for i := range ids {
		m[recon.ShortID(key, &ids[i])] = ids[i]
	}
	return m
}

func encode(key *recon.Key, names map[uint64]recon.ID) *recon.Encoder {
	shorts := make([]uint64, 0, len(names))
	for s := range names {
		shorts = append(shorts, s)
	}
	e, err := recon.NewEncoder(key, shorts, recon.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	return e
}
