package recon

import "math"

// estimate guesses how many differences there are from the counts of cells.
// With r ids of the other side alone and l of ours alone, the difference of
// the counts of cell 0 is r-l, and that of cell i departs from (r-l)·p by a
// variance of (r+l)·p·(1-p), p being the part of ids that cell i holds. The mean
// of the squares of k departures, so scaled, is r+l to within sqrt(2/k): 14 %
// for the counts of a first message.
type estimate struct {
	surplus float64 // r-l
	squares float64
	cells   float64
}

// add takes in the difference of the counts of cell i, cell 0 first.
func (e *estimate) add(i int, difference int32) {
	if i == 0 {
		e.surplus = float64(difference)
		return
	}
	p := 2 / float64(i+2)
	off := float64(difference) - e.surplus*p
	e.squares += off * off / (p * (1 - p))
	e.cells++
}

// differences is the estimate. That a set is larger by so many is a fact.
func (e *estimate) differences() float64 {
	least := math.Abs(e.surplus)
	if e.cells == 0 {
		return least
	}
	return max(least, e.squares/e.cells)
}

// atMost is what the differences stay below in 99 of 100 cases, k departures
// being spread like chi-squared of k degrees (its quantile by Wilson and
// Hilferty).
func (e *estimate) atMost() float64 {
	if e.cells == 0 {
		return e.differences()
	}
	ninth := 2 / (9 * e.cells)
	quantile := max(1-ninth-2.326*math.Sqrt(ninth), 0.5)
	return e.differences() / (quantile * quantile * quantile)
}
