package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The search index is a projection: it follows the items in the order in which
// they were committed, in the background.

const (
	// searchBatch is how many items one transaction of the index takes in.
	searchBatch = 256
	// searchInterval is the longest time between two looks for something new.
	searchInterval = 500 * time.Millisecond
	// Indexing rests this many times as long as it worked, while others write:
	// under a flood the index falls behind, rather than the acknowledgements.
	searchRest = 9
	// forgetBatch is how many removed items are taken out at a time.
	forgetBatch = 1000
)

type searchProjection struct {
	store  *Store
	index  *searchIndex
	remote *remoteSearch // in place of index, in PostgreSQL
	cancel context.CancelFunc
	ended  sync.WaitGroup

	// The goroutine's own: when words were purged last, and how long that took.
	purged   time.Time
	purgeFor time.Duration
}

func startSearchProjection(ctx context.Context, s *Store, index *searchIndex) (*searchProjection, error) {
	var last int64
	if err := s.read.WithContext(ctx).Raw("SELECT coalesce(max(n), 0) FROM feedback").Scan(&last).Error; err != nil {
		return nil, err
	}
	if err := index.follow(ctx, s.Epoch(), last); err != nil {
		return nil, err
	}
	p := &searchProjection{store: s, index: index}
	p.start()
	return p, nil
}

func (p *searchProjection) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.ended.Go(func() { p.run(ctx) })
}

func (p *searchProjection) stop() {
	p.cancel()
	p.ended.Wait()
	if p.remote != nil {
		_ = p.remote.close() // it holds nothing that is not committed
	}
}

func (p *searchProjection) run(ctx context.Context) {
	var seen uint64
	for looked := false; ; {
		pause := searchInterval
		commits := p.store.writer.commits.Load()
		if !looked || commits != seen {
			began := time.Now()
			more, owing, err := p.step(ctx)
			if err != nil && ctx.Err() == nil {
				p.store.log.Error("search index", "error", err)
				err = errors.Join(err, p.mend(ctx, err))
			}
			looked = err == nil && !more && !owing
			if more && err == nil {
				pause = 0
				if commits != seen {
					pause = searchRest * time.Since(began)
				}
			}
			seen = commits
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// step takes in what comes next and takes out what was erased. What it reads of
// an item may be erased before it is in the index; but then it is taken out
// later, since nobody else does either. more can be had at once; owing says that
// something is left for a later step.
func (p *searchProjection) step(ctx context.Context) (more, owing bool, err error) {
	if p.remote != nil {
		return p.remote.step(ctx)
	}
	more, err = p.takeIn(ctx)
	if err != nil {
		return false, false, err
	}
	if err := p.takeOver(ctx); err != nil {
		return false, false, err
	}
	owing, err = p.takeOut(ctx)
	return more, owing, err
}

func (p *searchProjection) takeIn(ctx context.Context) (more bool, err error) {
	n, err := p.index.progress(ctx)
	if err != nil {
		return false, err
	}
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var next []feedbackRow
	err = p.store.read.WithContext(reading).Select("n", "project_id", "quarantined", "kind", "created_at", "message", "name", "email", "page_url").
		Where("n > ?", n).Order("n").Limit(searchBatch).Find(&next).Error
	if err != nil || len(next) == 0 {
		return false, err
	}
	return len(next) == searchBatch, p.index.add(ctx, next, next[len(next)-1].N)
}

// forgetWords has the words of erased items taken out of the search index. The
// note of it is in the transaction that erases them, so a restart loses none.
func (t *tx) forgetWords(numbers ...int64) error {
	owed := make([]searchRemovalRow, len(numbers))
	for i, n := range numbers {
		owed[i].N = n
	}
	return t.orm().Create(&owed).Error
}

// reindex has the search index take over what changed in an item. Until then
// searches pass it over, so that none shows it in the wrong list.
func (t *tx) reindex(n int64) error {
	return t.orm().Create(&searchRemovalRow{N: n, Again: true}).Error
}

// takeOver takes over what changed in items that are in the index: which of the two
// lists they are in.
func (p *searchProjection) takeOver(ctx context.Context) error {
	for {
		var owed []searchRemovalRow
		err := p.store.read.WithContext(ctx).Where("again = TRUE").Order("id").Limit(forgetBatch).Find(&owed).Error
		if err != nil || len(owed) == 0 {
			return err
		}
		numbers := make([]int64, len(owed))
		for i, row := range owed {
			numbers[i] = row.N
		}
		var changed []feedbackRow
		if err := p.store.read.WithContext(ctx).Select("n", "quarantined").Where("n IN ?", numbers).Find(&changed).Error; err != nil {
			return err
		}
		if err := p.index.move(ctx, changed); err != nil {
			return err
		}
		if err := p.noteDone(ctx, owed[len(owed)-1].ID, true); err != nil {
			return err
		}
	}
}

// takeOut takes out of the index what was erased. A purge writes the whole index
// anew, so it then rests, and later does it once for all that came meanwhile.
func (p *searchProjection) takeOut(ctx context.Context) (owing bool, err error) {
	var last int64
	for {
		var owed []searchRemovalRow
		err := p.store.read.WithContext(ctx).Where("id > ? AND again = FALSE", last).Order("id").Limit(forgetBatch).Find(&owed).Error
		if err != nil {
			return false, err
		}
		if len(owed) == 0 {
			break
		}
		if time.Since(p.purged) < searchRest*p.purgeFor {
			return true, nil
		}
		numbers := make([]int64, len(owed))
		for i, row := range owed {
			numbers[i] = row.N
		}
		if err := p.index.remove(ctx, numbers); err != nil {
			return false, err
		}
		last = owed[len(owed)-1].ID
	}
	if last == 0 {
		return false, nil
	}
	began := time.Now()
	err = p.index.purge(ctx)
	p.purged, p.purgeFor = time.Now(), time.Since(began)
	if err != nil {
		return false, err
	}
	return false, p.noteDone(ctx, last, false)
}

func (p *searchProjection) noteDone(ctx context.Context, last int64, again bool) error {
	for {
		var noted int64
		err := p.store.writer.do(ctx, false, func(t *tx) (err error) {
			noted, err = rows(t.orm().Exec(`DELETE FROM search_removals WHERE id IN
				(SELECT id FROM search_removals WHERE id <= ? AND again = ? LIMIT ?)`, last, again, forgetBatch))
			if !again { // the pages as they were before are in the database's own log of pages
				t.committed = append(t.committed, func() { t.w.owed.Store(owesTruncate) })
			}
			return err
		})
		if err != nil || noted < forgetBatch {
			return err
		}
	}
}

// mend begins an index anew that is broken.
func (p *searchProjection) mend(ctx context.Context, failure error) error {
	if !corruptSQLite(failure) {
		return nil
	}
	p.store.log.Warn("the search index is broken and is built anew")
	return p.index.begin(ctx, p.store.Epoch())
}
