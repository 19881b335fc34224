// Package directory knows who is in a world: it makes, checks, merges, keeps,
// serves and fetches the descriptors in which relays and providers say how they
// are reached and what they serve.
//
// A node that uses the directory makes a Set and a Client, runs Client.Run, and
// takes a Snapshot of the set per decision. A node that is in the directory also
// gives the client a key, a Keyring and a Self function; one that serves it
// calls Serve per incoming stream. Build, Verify, Fetch and Publish are the
// steps underneath.
//
// It is not for looking anything up at anyone: everybody fetches the whole set,
// so that what is asked for says nothing of what is wanted, and there is no
// request for one descriptor. It knows no transport (streams are io.ReadWriter,
// addresses are strings that others dial), holds no score, and does not choose
// (package route does).
//
// Set, Keyring and Client may be used concurrently; a Snapshot and what it
// returns is immutable.
//
// It implements docs/spec/directory.md.
package directory
