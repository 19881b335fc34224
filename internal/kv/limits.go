package kv

const (
	// MaxBucket bounds the name of a bucket, which is written in the source.
	MaxBucket = 64

	// MaxKey bounds a key: ids and hashes are far shorter, and Postgres indexes
	// no more than 2,700 bytes.
	MaxKey = 1024

	// MaxValue bounds a value. What is larger is a file, not a record, and would
	// be held in memory several times over while it is written.
	MaxValue = 1 << 20
)
