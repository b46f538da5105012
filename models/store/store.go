// Package store keeps Earshot's data. It is the only package that knows the
// database.
//
// One goroutine writes: it takes all writes that wait, applies them in one
// transaction, and answers each after the commit is on disk. Reads go through a
// pool of their own and never wait for it. Every change of a project's data is
// also a row of the project's log, written in the same transaction with the
// next seq, so that the order of commits is the order of the log.
package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"earshot/models"
	"earshot/models/metrics"
)

// readTimeout bounds every read; a list at a million rows takes milliseconds.
const readTimeout = 10 * time.Second

// Options is what a Store needs from outside.
type Options struct {
	// Path is the SQLite file, whose folder must exist, or the address of a PostgreSQL
	// database (postgres://…).
	Path string
	Log  *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Publish is told of every committed change, in commit order, by the one
	// goroutine that commits: it must return at once. May be nil.
	Publish func([]models.LogEntry)
	// Beside opens the database for a moment beside a server that may be running:
	// what goes on in the background is left to that one. There is no search.
	Beside bool
	// Mails: there is a mail server. Without one no mail is queued.
	Mails bool
	// AuditKey seals the audit log. Whoever opens the database to change something
	// in it has to bring the same.
	AuditKey []byte
	// AdoptSecret has the database belong to the secret that AuditKey is from. It is
	// otherwise ErrOtherSecret where it belongs to another.
	AdoptSecret bool

	// Metrics counts what is written; nil where nobody reads it.
	Metrics *metrics.Metrics

	// window is replayWindow, but in tests.
	window window
}

// Store is open storage. All methods may be called from any goroutine.
type Store struct {
	log    *slog.Logger
	now    func() time.Time
	read   *gorm.DB
	write  *gorm.DB
	writer *writer
	// searchable: there is a search index.
	searchable bool
	// What follows the writer in the background.
	checkpoints *checkpointer
	index       *searchIndex
	search      *searchProjection
	removals    *remover
	insights    *insightsProjection
	retention   *retention
	record      *headsRecord
	others      *othersFollower
	outages     *outages
	epoch       atomic.Pointer[models.Epoch]
	path        string

	projectsMu sync.RWMutex
	byKey      map[string]*models.Project
	// projectsGeneration counts the changes that byKey has seen.
	projectsGeneration uint64

	blocksMu sync.RWMutex
	blocks   map[models.ID]*models.Blocks
	// blocksGeneration counts the changes that blocks has seen.
	blocksGeneration uint64
}

// Open opens the database at options.Path, which Schema.Up has brought up to
// date, and starts its writer. The caller closes it.
func Open(ctx context.Context, options Options) (*Store, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Metrics == nil {
		options.Metrics = metrics.Unread()
	}
	outages := newOutages(options.Log)
	options.Log = outages.logger(untranslated)
	s := &Store{log: options.Log, outages: outages, now: options.Now, path: options.Path, byKey: map[string]*models.Project{}, blocks: map[models.ID]*models.Blocks{}}
	err := s.open(ctx, options)
	if err == nil {
		err = s.checkSecret(ctx, options.AuditKey, options.AdoptSecret)
	}
	if err == nil && !options.Beside {
		err = s.startBackground(ctx, options)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, options Options) (err error) {
	if IsPostgres(options.Path) {
		return s.openPostgres(ctx, options)
	}
	if s.write, err = open(writerDSN(options.Path), 1); err != nil {
		return err
	}
	if !options.Beside {
		if s.index, err = openSearchIndex(ctx, options.Path); err != nil {
			return err
		}
	}
	if s.read, err = openReaders(options.Path, s.index != nil); err != nil {
		return err
	}
	s.searchable = s.index != nil
	if s.writer, err = newWriter(ctx, s.write, options); err != nil {
		return err
	}
	epoch, err := s.loadEpoch(ctx)
	if err == nil {
		s.setEpoch(epoch)
	}
	return err
}

// startBackground starts what follows the writer.
func (s *Store) startBackground(ctx context.Context, options Options) (err error) {
	s.outages.start(s.answers)
	if IsPostgres(options.Path) {
		s.others = startFollowingOthers(s)
		s.search, err = startPostgresSearch(s)
	} else {
		err = s.startFiles(ctx, options)
	}
	if err != nil {
		return err
	}
	s.removals = startRemover(s)
	s.insights = startInsights(s)
	if options.window == (window{}) {
		options.window = replayWindow
	}
	s.retention = startRetention(s, options.window)
	return nil
}

// startFiles starts what follows the writer in SQLite's files.
func (s *Store) startFiles(ctx context.Context, options Options) (err error) {
	if err = s.refuseOlder(ctx); err != nil {
		return err
	}
	if err = s.startRecord(ctx); err != nil {
		return err
	}
	if s.checkpoints, err = startCheckpointer(ctx, options.Path, s.writer, options.Log); err != nil {
		return err
	}
	s.search, err = startSearchProjection(ctx, s, s.index)
	return err
}

// Close lets the writer commit what waits, then closes the database. Writes
// that come later are refused.
func (s *Store) Close() error {
	s.outages.stop()
	if s.search != nil {
		s.search.stop()
	}
	if s.others != nil {
		s.others.stop()
	}
	if s.removals != nil {
		s.removals.stop()
	}
	if s.insights != nil {
		s.insights.stop()
	}
	if s.retention != nil {
		s.retention.stop()
	}
	var failed []error
	if s.writer != nil {
		failed = append(failed, s.writer.close())
	}
	if s.record != nil {
		failed = append(failed, s.record.close())
	}
	if s.checkpoints != nil {
		failed = append(failed, s.checkpoints.stop())
	}
	// Who closes a file last empties its write-ahead log, which readers cannot.
	if s.read != nil {
		failed = append(failed, closeDB(s.read))
	}
	if s.index != nil {
		failed = append(failed, s.index.close())
	}
	if s.write != nil {
		failed = append(failed, closeDB(s.write))
	}
	return errors.Join(failed...)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var one int
	return translate(s.read.WithContext(ctx).Raw("SELECT 1 FROM meta LIMIT 1").Scan(&one).Error)
}

// scoped is a read inside a tenant's walls. The zero scope is refused.
func (s *Store) scoped(ctx context.Context, scope models.Scope) (*gorm.DB, error) {
	if scope.Organization() == "" {
		return nil, errors.New("query without a tenant scope")
	}
	return s.read.WithContext(ctx), nil
}

// owned narrows a query to the rows that a scope admits, of a table whose rows name
// their organisation and their project.
func owned(query *gorm.DB, scope models.Scope) *gorm.DB {
	query = query.Where("organization_id = ?", scope.Organization())
	if project := scope.Project(); project != "" {
		query = query.Where("project_id = ?", project)
	}
	return query
}

func (s *Store) millis() int64 { return s.now().UnixMilli() }

// Exists reports whether a database is at path already. Of one that has an address
// only connecting tells.
func Exists(path string) bool {
	if IsPostgres(path) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
