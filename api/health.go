package api

import (
	"context"
	"errors"
	"time"

	"earshot/api/operator"
	"earshot/models"
)

// Health says that all is well; what is not well is a problem.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

type healthOutput struct{ Body Health }

func ok() *healthOutput { return &healthOutput{Body: Health{Status: "ok"}} }

// getHealth asks nothing: a process that answers lives, and one that is restarted
// because its disk is full is no better afterwards.
func (s *Server) getHealth(context.Context, *struct{}) (*healthOutput, error) { return ok(), nil }

const (
	// readyTimeout is shorter than the patience of the usual probes.
	readyTimeout = 2 * time.Second
	// leastRoom is the room on the disk below which submissions are about to be
	// refused: a few batches with what a checkpoint needs.
	leastRoom = 1 << 20
)

// getReady says whether requests should be sent here, and if not, all that stands
// against it: errors name draining, database, writes or disk.
func (s *Server) getReady(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	if reasons := s.unready(ctx); len(reasons) > 0 {
		return nil, &models.Error{
			Code: models.CodeUnavailable, Message: "this server takes no requests now", Fields: reasons, RetryAfter: time.Second,
		}
	}
	return ok(), nil
}

// unready is why no requests should be sent here.
func (s *Server) unready(ctx context.Context) (reasons []models.FieldError) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	add := func(what, why string) { reasons = append(reasons, models.FieldError{Path: what, Message: why}) }
	if s.draining.Load() {
		// The database is about to be closed: what it says means nothing any more.
		add("draining", "the server is going away")
		return reasons
	}
	if err := s.store.Ping(ctx); err != nil {
		s.log.Error("the database does not answer", "error", err)
		add("database", "does not answer")
	}
	if err := s.store.Writable(); err != nil {
		add("writes", err.Error())
	}
	if free, err := operator.FreeBytes(s.config.DataDir); err == nil && free < leastRoom {
		add("disk", "there is hardly any room left")
	} else if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		add("disk", "the data folder cannot be reached")
	}
	return reasons
}
