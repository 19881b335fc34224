package protobuf

import "github.com/culvert-net/culvert/mesh/event"

// MaxMessage bounds one message: every hash has two to four bytes more around it
// than in canonical form, and nothing else grows.
const MaxMessage = 2 * event.MaxEvent
