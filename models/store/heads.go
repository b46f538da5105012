package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
)

// Beside the database lies a record of where the logs stood. A database that is
// found behind it is an older one put back: it would number new events as others
// have seen old ones, so it gets a new epoch. Every transaction is noted before
// anybody is told that it was committed: a write of one line, which outlives the
// process, and is synced some time later to outlive the machine's end as well.

const (
	// headsLine is the width of the record's lines: one for the epoch, then one a
	// project, each written over where it is.
	headsLine  = 64
	headsTitle = "earshot-heads"
	// headsSyncInterval is how far the disk may be behind.
	headsSyncInterval = time.Second
)

// recordedHeads is what the record holds.
type recordedHeads struct {
	epoch models.Epoch
	last  map[models.ID]int64 // by project
}

func headsPath(database string) string { return database + "-heads" }

func readHeads(path string) (recordedHeads, error) {
	heads := recordedHeads{last: map[models.ID]int64{}}
	content, err := os.ReadFile(path) //nolint:gosec // the operator's own folder
	if errors.Is(err, os.ErrNotExist) {
		return heads, nil
	}
	if err != nil {
		return heads, fmt.Errorf("read the recorded heads: %w", err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		name, value, found := strings.Cut(strings.TrimRight(line, " "), " ")
		last, err := strconv.ParseInt(value, 10, 64)
		switch {
		case i == 0 && name == headsTitle:
			heads.epoch = models.Epoch(value)
		case i > 0 && found && err == nil && models.ID(name).Valid():
			heads.last[models.ID(name)] = last
		default:
			return heads, fmt.Errorf("read the recorded heads: line %d is not one of ours", i+1)
		}
	}
	return heads, nil
}

// appendHead appends a line of the record.
func appendHead(buf []byte, name, value string) []byte {
	begin := len(buf)
	buf = append(append(append(buf, name...), ' '), value...)
	for len(buf) < begin+headsLine-1 {
		buf = append(buf, ' ')
	}
	return append(buf, '\n')
}

// ahead reports whether the record knows of more than the database has.
func (h recordedHeads) ahead(database recordedHeads) bool {
	if h.epoch != database.epoch {
		return false // a copy of ours was restored, and has its own already
	}
	for project, last := range h.last {
		if last > database.last[project] {
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
	heads := recordedHeads{epoch: s.Epoch(), last: make(map[models.ID]int64, len(rows))}
	for _, row := range rows {
		heads.last[row.ID] = row.Last
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

// headsRecord is the record while the store is open.
type headsRecord struct {
	log    *slog.Logger
	file   *os.File
	noted  atomic.Bool // since the last sync
	cancel context.CancelFunc
	ended  sync.WaitGroup

	// The writer's own.
	offsets map[models.ID]int64
	end     int64
	failed  bool
}

// startRecord begins the record anew, as a whole or not at all, and hands it to
// the writer.
func (s *Store) startRecord(ctx context.Context) error {
	heads, err := s.heads(ctx)
	if err != nil {
		return err
	}
	r := &headsRecord{log: s.log, offsets: map[models.ID]int64{}}
	content := appendHead(nil, headsTitle, string(heads.epoch))
	for project, last := range heads.last {
		r.offsets[project] = int64(len(content))
		content = appendHead(content, string(project), strconv.FormatInt(last, 10))
	}
	r.end = int64(len(content))
	if err := r.create(headsPath(s.path), content); err != nil {
		return fmt.Errorf("record heads: %w", err)
	}
	ctx, r.cancel = context.WithCancel(context.Background())
	r.ended.Go(func() { r.run(ctx) })
	s.record = r
	return s.writer.do(ctx, false, func(t *tx) error {
		t.w.record = r
		return nil
	})
}

func (r *headsRecord) create(path string, content []byte) error {
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the operator's own folder
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	r.file = file
	return nil
}

// note writes down where logs stand. It is called by the writer, after the
// commit and before its word. What it cannot write is only logged: the events
// are safe, and a record that is behind does no harm until an older database is
// put back.
func (r *headsRecord) note(project models.ID, last int64) {
	if r == nil { // PostgreSQL has none
		return
	}
	offset, known := r.offsets[project]
	if !known {
		offset = r.end
		r.offsets[project] = offset
		r.end += headsLine
	}
	var line [headsLine]byte
	_, err := r.file.WriteAt(appendHead(line[:0], string(project), strconv.FormatInt(last, 10)), offset)
	if err != nil && !r.failed {
		r.log.Error("record heads", "error", err)
	}
	r.failed = err != nil
	r.noted.Store(true)
}

func (r *headsRecord) run(ctx context.Context) {
	ticker := time.NewTicker(headsSyncInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if r.noted.Swap(false) {
			if err := r.file.Sync(); err != nil {
				r.log.Error("record heads", "error", err)
			}
		}
	}
}

// close is called when nothing is committed any more.
func (r *headsRecord) close() error {
	r.cancel()
	r.ended.Wait()
	return errors.Join(r.file.Sync(), r.file.Close())
}
