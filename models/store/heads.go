package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"earshot/models"
)

// headsInterval is how far the record may be behind the database.
const headsInterval = time.Second

// recordedHeads is where the logs stood, kept in a file beside the database. A
// database that is found behind it is an older one put back: it would number new
// events as others have seen old ones, so it gets a new epoch.
type recordedHeads struct {
	Epoch models.Epoch        `json:"epoch"`
	Last  map[models.ID]int64 `json:"last"` // by project
}

func headsPath(database string) string { return database + "-heads" }

func readHeads(path string) (recordedHeads, error) {
	var heads recordedHeads
	content, err := os.ReadFile(path) //nolint:gosec // the operator's own folder
	if errors.Is(err, os.ErrNotExist) {
		return heads, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &heads)
	}
	if err != nil {
		return heads, fmt.Errorf("read the recorded heads: %w", err)
	}
	return heads, nil
}

// write replaces the file as a whole: half of it is worth nothing.
func (h recordedHeads) write(path string) error {
	content, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("record heads: %w", err)
	}
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the operator's own folder
	if err != nil {
		return fmt.Errorf("record heads: %w", err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("record heads: %w", err)
	}
	return os.Rename(fresh, path)
}

// ahead reports whether the record knows of more than the database has.
func (h recordedHeads) ahead(database recordedHeads) bool {
	if h.Epoch != database.Epoch {
		return false // a copy of ours was restored, and has its own already
	}
	for project, last := range h.Last {
		if last > database.Last[project] {
			return true
		}
	}
	return false
}

func (s *Store) heads(ctx context.Context) (recordedHeads, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var rows []struct {
		ID   models.ID
		Last int64
	}
	if err := s.read.WithContext(ctx).Table("projects AS p").Select("p.id, " + lastSeq + " AS last").Find(&rows).Error; err != nil {
		return recordedHeads{}, fmt.Errorf("read heads: %w", err)
	}
	heads := recordedHeads{Epoch: s.epoch, Last: make(map[models.ID]int64, len(rows))}
	for _, row := range rows {
		heads.Last[row.ID] = row.Last
	}
	return heads, nil
}

// refuseOlder gives the database a new epoch if it is an older one put back.
func (s *Store) refuseOlder(ctx context.Context) error {
	recorded, err := readHeads(headsPath(s.path))
	if err != nil {
		// Nothing can be compared. A new epoch costs clients one resync; to go on
		// under the old one could cost them events.
		s.log.Warn("the heads recorded beside the database cannot be read", "error", err)
		return s.renewEpoch(ctx)
	}
	present, err := s.heads(ctx)
	if err != nil || !recorded.ahead(present) {
		return err
	}
	s.log.Warn("the database is older than what was recorded beside it: clients will fetch everything anew")
	return s.renewEpoch(ctx)
}

// headsRecorder keeps the record up to date.
type headsRecorder struct {
	store  *Store
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startHeadsRecorder(s *Store) *headsRecorder {
	ctx, cancel := context.WithCancel(context.Background())
	r := &headsRecorder{store: s, cancel: cancel}
	r.ended.Go(func() { r.run(ctx) })
	return r
}

// stop is called when nothing is committed any more, and while it can be read.
func (r *headsRecorder) stop() {
	r.cancel()
	r.ended.Wait()
}

func (r *headsRecorder) run(ctx context.Context) {
	ticker := time.NewTicker(headsInterval)
	defer ticker.Stop()
	var seen uint64
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-ticker.C:
		}
		commits := r.store.writer.commits.Load()
		if commits == seen {
			continue
		}
		heads, err := r.store.heads(context.WithoutCancel(ctx))
		if err == nil {
			err = heads.write(headsPath(r.store.path))
		}
		if err != nil {
			r.store.log.Error("record heads", "error", err)
			continue
		}
		seen = commits
	}
}
