package recon

// Nothing here may cost more than its bounds, whatever the other side sends.
const (
	// MaxSet bounds a set: an epoch of a world has a few million events at most,
	// and sums over counts stay far from overflow.
	MaxSet = 1 << 26

	// MaxCells bounds the coded cells of a session. It is what 8 MiB hold, which
	// is enough for some 450,000 differences; memory is 16 bytes a cell.
	MaxCells = 640_000

	// MaxBytes bounds what a session takes in: the ids of a quarter of a million
	// events. More is left to the next session.
	MaxBytes = 8 << 20

	// maxSteps bounds how often cells are touched, for each cell received. An id
	// is in 2·ln(cells/2)+1 cells, 27 of MaxCells, and there are no more ids than
	// cells; one who can choose ids finds none that are in many more.
	maxSteps = 64

	// MaxMessage bounds one message about ranges: what is more is said in the
	// next round.
	MaxMessage = 1 << 20

	// MinMessage is the least that such a bound can be: a range must fit, with
	// all its parts.
	MinMessage = 4 << 10

	// MaxRounds bounds the rounds about ranges. A million ids are cut into lists
	// in six rounds; the rest is for answers longer than a message.
	MaxRounds = 32
)

// Limits bound a session further. Zero is the package's own bound.
type Limits struct {
	Cells   int // coded cells, MaxCells at most
	Bytes   int // bytes taken in, MaxBytes at most
	Message int // bytes of a message about ranges, from MinMessage to MaxMessage
	Rounds  int // messages about ranges that are taken in, MaxRounds at most
}

func (l Limits) or() Limits {
	return Limits{
		Cells:   bound(l.Cells, 1, MaxCells),
		Bytes:   bound(l.Bytes, 1, MaxBytes),
		Message: bound(l.Message, MinMessage, MaxMessage),
		Rounds:  bound(l.Rounds, 1, MaxRounds),
	}
}

func bound(n, least, most int) int {
	if n <= 0 {
		return most
	}
	return min(max(n, least), most)
}
