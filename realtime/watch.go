package realtime

import (
	"context"
	"maps"
	"slices"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// watchInterval is how soon a session or a key that was ended elsewhere, by another
// node or by the operator's command, ends here.
const watchInterval = 500 * time.Millisecond

// watch closes the sockets of sessions, keys and projects that have ended without this
// server having been told.
func (s *Server) watch(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.checkSessions(ctx)
			s.checkProjects(ctx)
		}
	}
}

// checkSessions asks of all sessions at once: there may be thousands.
func (s *Server) checkSessions(ctx context.Context) {
	asked := map[models.ID]bool{}
	s.mu.Lock()
	for d := range s.dashboards {
		asked[d.claims.Load().SessionID] = true
	}
	s.mu.Unlock()
	if len(asked) == 0 {
		return
	}
	open, err := s.store.AuthorizeAll(ctx, slices.Collect(maps.Keys(asked)))
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("check sessions", "error", err)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.dashboards {
		claims := d.claims.Load()
		if !asked[claims.SessionID] { // it has come since
			continue
		}
		// One that went to another organisation has ended for this one, and a change of
		// role ends what is open, too.
		if now, ok := open[claims.SessionID]; !ok || now.Scope != claims.Scope || now.Role != claims.Role {
			d.endSubscriptions()
			d.shut(protocol.CloseRevoked)
		}
	}
}

// checkProjects asks of all projects at once for whose visitors sockets are open, or
// that somebody follows.
func (s *Server) checkProjects(ctx context.Context) {
	open := map[models.ID]bool{}
	for _, project := range s.hub.Followed() {
		open[project] = true
	}
	s.mu.Lock()
	for v := range s.visitors {
		open[v.project.ID] = true
	}
	s.mu.Unlock()
	if len(open) == 0 {
		return
	}
	keys, err := s.store.ProjectKeys(ctx, slices.Collect(maps.Keys(open)))
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("check keys", "error", err)
		}
		return
	}
	for project := range open {
		if _, there := keys[project]; !there {
			s.EndProject(project)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.visitors {
		if open[v.project.ID] && keys[v.project.ID] != v.project.Key {
			v.shut(protocol.CloseKeyDisabled)
		}
	}
}
