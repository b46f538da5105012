package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"earshot/models"
)

// window is how much of a project's log can be replayed: what is younger than
// age, and at least the last events.
type window struct {
	age    time.Duration
	events int64
	// interval is the time between two looks for events outside.
	interval time.Duration
}

// replayWindow is the wire contract's.
var replayWindow = window{age: 24 * time.Hour, events: 10_000, interval: time.Minute}

// retention removes events that no client can ask for any more, and erases feedback
// that projects do not keep for longer, in the background. A project's last event stays, whatever its age: it tells where the
// log ends.
type retention struct {
	store  *Store
	window window
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startRetention(s *Store, w window) *retention {
	ctx, cancel := context.WithCancel(context.Background())
	r := &retention{store: s, window: w, cancel: cancel}
	r.ended.Go(func() { r.run(ctx) })
	return r
}

func (r *retention) stop() {
	r.cancel()
	r.ended.Wait()
}

func (r *retention) run(ctx context.Context) {
	for {
		began := time.Now()
		more, err := r.step(ctx)
		if err != nil && ctx.Err() == nil {
			r.store.log.Error("remove old events", "error", err)
		}
		expired, err := r.store.expire(ctx)
		if err != nil && ctx.Err() == nil {
			r.store.log.Error("erase what projects do not keep for longer", "error", err)
		}
		more = more || expired
		pause := r.window.interval
		if more {
			pause = removalRest * time.Since(began)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// longLogs finds the projects with more events than have to be kept.
const longLogs = `SELECT id AS project_id, first, last FROM (
	SELECT p.id, ` + firstSeq + ` AS first, ` + lastSeq + ` AS last FROM projects AS p
	) AS logs WHERE last - first >= @events`

type longLog struct {
	ProjectID   models.ID
	First, Last int64
}

// step removes a few of the oldest events of each project that has too many.
func (r *retention) step(ctx context.Context) (more bool, err error) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var logs []longLog
	err = r.store.read.WithContext(reading).Raw(longLogs, map[string]any{"events": max(1, r.window.events)}).Scan(&logs).Error
	if err != nil {
		return false, err
	}
	var failed []error
	for _, log := range logs {
		removed, err := r.shorten(ctx, log)
		if err != nil { // the other projects' logs go on
			failed = append(failed, fmt.Errorf("project %s: %w", log.ProjectID, err))
		}
		more = more || removed == removalBatch
	}
	return more, errors.Join(failed...)
}

// shorten removes the beginning of one log, up to the first event that has to
// stay: a log has no holes. Nobody else removes events of a project that exists,
// so what goes is chosen beforehand, where no submission waits for it.
func (r *retention) shorten(ctx context.Context, log longLog) (int64, error) {
	oldest := r.store.now().Add(-r.window.age).UnixMilli()
	last := log.Last - max(1, r.window.events)
	var events []eventRow
	err := r.store.read.WithContext(ctx).Select("seq", "at").Where("project_id = ? AND seq <= ?", log.ProjectID, last).
		Order("seq").Limit(removalBatch).Find(&events).Error
	if err != nil {
		return 0, err
	}
	through := int64(0)
	for _, event := range events {
		if event.At > oldest {
			break
		}
		through = event.Seq
	}
	if through == 0 {
		return 0, nil
	}
	var removed int64
	err = r.store.writer.do(ctx, false, func(t *tx) (err error) {
		removed, err = rows(t.orm().Exec("DELETE FROM events WHERE project_id = ? AND seq <= ?", log.ProjectID, through))
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
