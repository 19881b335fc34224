package directory

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// fetcher is the part of a Client that asks seeds. Its fields are owned by run.
type fetcher struct {
	*Client

	have  map[string]world.Hash // by seed: the digest it gave last
	bad   int                   // rounds since one was good enough
	good  int                   // good rounds in a row
	asked bool                  // whether any seed has answered since the start
	woe   trouble               // of rounds without an answer
}

// reply is what one seed answered.
type reply struct {
	seed   string
	answer *Answer
	err    error
}

func (f *fetcher) run(ctx context.Context) {
	for {
		pause := f.cfg.World.EpochLen() / 4
		if len(f.sources) > 0 {
			answered := f.round(ctx)
			if ctx.Err() != nil {
				return
			}
			pause = f.pause(answered)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-f.refresh:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// round asks some seeds at once, merges each answer as it comes, and reports
// whether there was any.
func (f *fetcher) round(ctx context.Context) (answered bool) {
	chosen := rand.Perm(len(f.sources))[:min(fanout, len(f.sources))]
	replies := make(chan reply, len(chosen))
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, i := range chosen {
		seed := f.sources[i]
		have := f.have[seed]
		wg.Go(func() {
			r := reply{seed: seed}
			r.err = f.exchange(ctx, seed, fetchTimeout, func(rw io.ReadWriter) (err error) {
				r.answer, err = Fetch(rw, f.cfg.World.ID, have)
				return err
			})
			replies <- r
		})
	}
	var failed error
	for range chosen {
		r := <-replies
		if r.err != nil {
			failed = r.err
			if ctx.Err() == nil {
				f.mu.Lock()
				f.status.FetchesFailed++
				f.mu.Unlock()
			}
			delete(f.have, r.seed) // it may have started anew
			f.cfg.Log.Debug("seed not asked", "err", r.err)
			continue
		}
		f.take(r)
		answered = true
	}
	if ctx.Err() == nil {
		f.report(answered, failed)
	}
	return answered
}

// take merges what a seed said.
func (f *fetcher) take(r reply) {
	now := time.Now()
	result := f.cfg.Set.Add(r.answer.Descriptors, now)
	f.have[r.seed] = r.answer.Digest
	f.mu.Lock()
	f.status.Fetched = now
	f.status.FetchesOK++
	f.mu.Unlock()
	f.cache.fetched(now)
	f.cfg.Log.Debug("seed asked", "unchanged", r.answer.Unchanged, "added", result.Added,
		"known", result.Known, "refused", len(result.Refused)+r.answer.Malformed)
}

// report keeps the outcome of a round for Status, and tells operators of the
// first answer, of a failure that lasts, and of its end.
func (f *fetcher) report(answered bool, failed error) {
	text := ""
	if !answered {
		text = explain(failed)
	}
	f.mu.Lock()
	f.status.FetchError = text
	f.mu.Unlock()
	over := text == "" && f.woe.told != ""
	switch {
	case f.woe.warn(text, time.Now()):
		f.cfg.Log.Warn("no seed answers", "err", text)
	case over, text == "" && !f.asked:
		f.cfg.Log.Info("directory fetched", "nodes", f.cfg.Set.Snapshot().Len())
	}
	f.asked = f.asked || answered
}

// pause is the time to the next round.
func (f *fetcher) pause(answered bool) time.Duration {
	quarter := f.cfg.World.EpochLen() / 4
	enough := f.cfg.Enough(f.cfg.Set.Snapshot())
	if answered && enough {
		f.bad = 0
		f.good++
		return backoff(firstRefresh, quarter, f.good-1)
	}
	f.good = 0
	f.bad++
	longest := quarter
	if !enough {
		longest = min(lastRetry, quarter)
	}
	return backoff(firstRetry, longest, f.bad-1)
}
