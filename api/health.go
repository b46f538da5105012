package api

import (
	"context"
	"time"

	"earshot/models"
)

// Health says that all is well; what is not well is a problem.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

type healthOutput struct{ Body Health }

func ok() *healthOutput { return &healthOutput{Body: Health{Status: "ok"}} }

func (s *Server) getHealth(context.Context, *struct{}) (*healthOutput, error) { return ok(), nil }

// readyTimeout is shorter than the patience of the usual probes.
const readyTimeout = 2 * time.Second

// getReady says whether requests should be sent here.
func (s *Server) getReady(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	unavailable := &models.Error{Code: models.CodeUnavailable, Message: "this server takes no requests now", RetryAfter: time.Second}
	if s.draining.Load() {
		return nil, unavailable
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := s.store.Ping(ctx); err != nil {
		s.log.Error("the database does not answer", "error", err)
		return nil, unavailable
	}
	return ok(), nil
}
