package store

import (
	"context"
	"sync"
	"time"
)

// othersInterval is how long a change that another node made to a project, or to its
// blocks, may go unnoticed.
const othersInterval = time.Second

// othersFollower forgets, again and again, what is kept in memory of projects: this
// node is not told what others change.
type othersFollower struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startFollowingOthers(s *Store) *othersFollower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &othersFollower{cancel: cancel}
	f.ended.Go(func() {
		ticker := time.NewTicker(othersInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				s.forgetAll()
			}
		}
	})
	return f
}

func (f *othersFollower) stop() {
	f.cancel()
	f.ended.Wait()
}

// forgetAll forgets what ProjectByKey and Blocks keep.
func (s *Store) forgetAll() {
	s.projectsMu.Lock()
	s.projectsGeneration++
	clear(s.byKey)
	s.projectsMu.Unlock()
	s.blocksMu.Lock()
	s.blocksGeneration++
	clear(s.blocks)
	s.blocksMu.Unlock()
}
