package world

// TerrainHash is what a member's place in one epoch is cut from: keyed with the
// epoch's control-plane key, so that only members can draw the map, and over
// the key that the member was admitted with, so that nobody chooses a place.
func TerrainHash(key *Secret, id Hash, epoch uint64, member [32]byte) Hash {
	return keyedSum(&key.key, []byte("terrain"), id[:], epochBytes(epoch), member[:])
}
