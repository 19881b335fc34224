// Package keys is who may use the local API, and how much: API keys with the
// models, limits and isolation each has, and what each has used.
//
// Open reads the keys of a Store into a Ring. Ring.Find tells whose key a
// request carries, Grant.Admit counts the request or says which limit it
// would break, and Grant.Used counts the tokens of its answer. Ring.Add and
// Ring.Revoke change keys, durably and at once. Ring.Run writes what was used,
// behind the requests: a process that is killed forgets at most SaveEvery of
// it, in favour of the user.
//
// A key is 256 random bits. The store has only its SHA-256 (Digest says why
// that is enough), so whoever copies the store cannot use a key.
//
// Budget.Afford and Budget.Spent are the same for money: of a key, or of all who
// come without one (Ring.Keyless).
//
// The package knows no HTTP, no error shape, no file, and of money only sums.
//
// A Ring may be used concurrently. Spec: docs/spec/api.md section 2.
package keys
