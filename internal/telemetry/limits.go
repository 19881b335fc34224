package telemetry

const (
	// maxModels is how many names of models are counted apart: a provider
	// could name a new one in every descriptor.
	maxModels = 64

	// maxModelName is the longest name that is: longer ones are no names.
	maxModelName = 128
)
