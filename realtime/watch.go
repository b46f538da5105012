package realtime

import (
	"context"
	"maps"
	"slices"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// watchInterval is how soon a session that was ended elsewhere, by the
// operator's command for one, ends here.
const watchInterval = 500 * time.Millisecond

// projectsEvery is how many times as long what others do to projects may take.
const projectsEvery = 2

// watch does what follows from changes that this server was not told of: those of
// other nodes, and of the operator's commands.
func (s *Server) watch(ctx context.Context) {
	seen := map[models.ID]*models.Blocks{}
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.checkSessions(ctx)
		if n%projectsEvery == 0 {
			seen = s.checkVisitors(ctx, seen)
			s.checkFollowed(ctx)
		}
	}
}

// checkSessions closes the sockets of sessions that have ended. It asks of all sessions at once: there may be thousands.
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
		if !asked[claims.SessionID] {
			continue
		}
		// One that went to another organisation has ended for this one.
		if now, ok := open[claims.SessionID]; !ok || now.Scope != claims.Scope {
			d.endSubscriptions()
			d.shut(protocol.CloseRevoked)
		}
	}
}

// checkVisitors closes the sockets of keys that are not in use any more, and hides
// and shows visitors where a project's blocks are others than those that were seen.
func (s *Server) checkVisitors(ctx context.Context, seen map[models.ID]*models.Blocks) map[models.ID]*models.Blocks {
	keys := map[string]models.ID{}
	s.mu.Lock()
	for v := range s.visitors {
		keys[v.project.Key] = v.project.ID
	}
	s.mu.Unlock()
	now := make(map[models.ID]*models.Blocks, len(seen))
	for key, project := range keys {
		if ctx.Err() != nil {
			return seen
		}
		if !keyInUse(ctx, s.store, key) {
			s.closeKey(key)
			continue
		}
		blocks, err := s.store.Blocks(ctx, project)
		if err != nil {
			blocks = seen[project] // the next look will tell
		}
		now[project] = blocks
		if before := seen[project]; blocks != before && (blocks.Any() || before != nil && before.Any()) {
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

func (s *Server) closeKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.visitors {
		if v.project.Key == key {
			v.shut(protocol.CloseKeyDisabled)
		}
	}
}

// checkFollowed ends what dashboards follow of projects that are gone.
func (s *Server) checkFollowed(ctx context.Context) {
	followed := s.hub.Followed()
	if len(followed) == 0 {
		return
	}
	gone, err := s.store.Gone(ctx, followed)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("check projects", "error", err)
		}
		return
	}
	for _, project := range gone {
		s.EndProject(project)
	}
}
