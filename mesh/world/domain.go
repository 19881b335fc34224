package world

// domain separates the signatures of one transport key from one another: a
// signature made for one kind of message is worthless under any other.
type domain string

// All signature domains. A new kind of signed message adds its line here.
const domainDescriptor domain = "desc-sig"

// message is what is signed: domain, world and id have lengths that the domain
// fixes, so no message of one domain is a message of another.
func (d domain) message(world, id Hash, canonical []byte) []byte {
	return concat([][]byte{[]byte(d), world[:], id[:], canonical})
}
