package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"earshot/models"
)

const (
	// outageLook is the time between two looks whether the database is back.
	outageLook = time.Second
	// outageRepeat is how often the log says of one thing that it cannot be done for
	// want of the database.
	outageRepeat = time.Minute
)

// errNoWrites is for when the database itself says nothing: the writer waits for it.
var errNoWrites = errors.New("it reads, and does not end a write in time")

// outages is what knows whether the database answers, and says once that it does not,
// and once that it does again. It hears of failures by what is logged of them, so
// that no one who works in the background has to ask.
type outages struct {
	log *slog.Logger
	// ask is why the database does not read or write; nil where it does both.
	ask     func(context.Context) error
	noticed chan struct{} // holds one
	cancel  context.CancelFunc
	ended   sync.WaitGroup

	mu   sync.Mutex
	said map[string]time.Time // by message, of which there are as many as in the program
}

func newOutages(log *slog.Logger) *outages {
	return &outages{log: log, noticed: make(chan struct{}, 1), cancel: func() {}, said: map[string]time.Time{}}
}

func (o *outages) start(ask func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	o.ask, o.cancel = ask, cancel
	o.ended.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-o.noticed:
				o.follow(ctx)
			}
		}
	})
}

func (o *outages) stop() {
	o.cancel()
	o.ended.Wait()
}

// follow looks into a failure. One that has passed was none of the database.
func (o *outages) follow(ctx context.Context) {
	since := time.Now()
	err := o.ask(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	o.log.Error("the database is away, and what needs it waits", "error", lastCause(err))
	for o.ask(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(outageLook):
		}
	}
	o.log.Info("the database answers again", "away", time.Since(since).Round(time.Millisecond).String())
}

// mayBeSaid notes a failure, and reports whether the log may say so: not where it did
// within the last outageRepeat.
func (o *outages) mayBeSaid(message string) bool {
	select {
	case o.noticed <- struct{}{}:
	default:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.said[message]) < outageRepeat {
		return false
	}
	o.said[message] = time.Now()
	return true
}

// logger is a logger by which failures are heard of. means tells those of the
// database from others.
func (o *outages) logger(means func(error) bool) *slog.Logger {
	return slog.New(outageHandler{Handler: o.log.Handler(), outages: o, means: means})
}

// outageHandler leaves out what was said within the last outageRepeat of something that
// cannot be done for want of the database.
type outageHandler struct {
	slog.Handler
	outages *outages
	means   func(error) bool
}

// Handle is slog.Handler's.
func (h outageHandler) Handle(ctx context.Context, record slog.Record) error {
	away := false
	record.Attrs(func(attr slog.Attr) bool {
		err, ok := attr.Value.Any().(error)
		away = away || ok && h.means(err)
		return !away
	})
	if away && !h.outages.mayBeSaid(record.Message) {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs is slog.Handler's.
func (h outageHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	return h
}

// WithGroup is slog.Handler's.
func (h outageHandler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}

// Log is for whoever works with the store in the background: while the database is
// away, it says of each thing that fails for it no more than once a minute.
func (s *Store) Log() *slog.Logger { return s.outages.logger(unavailable) }

func unavailable(err error) bool { return models.CodeOf(err) == models.CodeUnavailable }

// untranslated tells it of the databases' own errors.
func untranslated(err error) bool { return unavailable(translate(err)) }

// answers is why the database does not read or write.
func (s *Store) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var one int
	if err := s.read.WithContext(ctx).Raw("SELECT 1 FROM meta LIMIT 1").Scan(&one).Error; err != nil {
		return err
	}
	err := s.writer.result(ctx, &op{apply: func(*tx) error { return nil }, done: make(chan error, 1)})
	if errors.Is(err, errUnavailable) {
		return errNoWrites
	}
	return err
}
