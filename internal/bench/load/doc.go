// Package load asks a server for chats, as many clients at once, and looks at
// every answer.
//
// Run carries out a Load and returns a Result: how long answers took, what was
// wrong with them, and how much came. Each client has one kept connection and
// asks again as soon as it has its answer. The client is written by hand on top
// of net/http's parser of answers: an http.Client costs as much as the server
// that is measured.
//
// An answer is right, wrong (whole, but not what was ordered), cut (it ended
// early) or failed (another status than 200, or no answer). See package script
// for what an answer must be.
package load
