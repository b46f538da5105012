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

// watch does what follows from changes that this server was not told of.
func (s *Server) watch(ctx context.Context) {
	seen := map[models.ID]*models.Blocks{}
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.checkSessions(ctx)
		s.checkProjects(ctx)
		seen = s.checkBlocks(ctx, seen)
	}
}

// checkSessions closes the sockets of sessions that have ended. It asks of all at
// once: there may be thousands.
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
	for project := range s.visited() {
		open[project] = true
	}
	if len(open) == 0 {
		return
	}
	keys, err := s.store.ProjectKeys(ctx, slices.Collect(maps.Keys(open)))
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("check projects", "error", err)
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

// visited is the projects for whose visitors sockets are open.
func (s *Server) visited() map[models.ID]bool {
	projects := map[models.ID]bool{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.visitors {
		projects[v.project.ID] = true
	}
	return projects
}

// checkBlocks hides and shows visitors where a project's blocks are others than those
// that were seen.
func (s *Server) checkBlocks(ctx context.Context, seen map[models.ID]*models.Blocks) map[models.ID]*models.Blocks {
	now, err := s.store.BlocksOf(ctx, slices.Collect(maps.Keys(s.visited())))
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("check blocks", "error", err)
		}
		return seen
	}
	for project, blocks := range now {
		if before := seen[project]; blocks != before && (blocks.Any() || before.Any()) {
			s.ReviewVisitors(project)
		}
	}
	return now
}

// keyInUse is true also where the store cannot tell.
func keyInUse(ctx context.Context, store Store, key string) bool {
	project, err := store.ProjectByKey(ctx, key)
	return models.CodeOf(err) != models.CodeNotFound && (err != nil || !project.KeyDisabled)
}
