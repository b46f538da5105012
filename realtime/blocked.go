package realtime

import "earshot/models"

// Who staff have blocked is not told of: neither that they are here nor what they
// type. What they send is kept, and held back.

// setTokenHash notes the visitor's token, from which blocks know a session.
func (v *visitor) setTokenHash() {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	v.tokenHash = models.HashResumeToken(v.token)
	v.reviewLocked()
}

// review shows the visitor to staff or hides them, by the blocks as they are now.
func (v *visitor) review() {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	if !v.reviewLocked() {
		v.clearDraftLocked()
	}
}

// reviewLocked is review, and tells whether the visitor is shown. It is called with
// draftMu held.
func (v *visitor) reviewLocked() (shown bool) {
	shown = !v.blockedLocked()
	v.server.hub.showVisitor(v, v.project.ID, shown)
	return shown
}

func (v *visitor) blockedLocked() bool {
	blocks, err := v.server.store.Blocks(v.ctx, v.project.ID)
	if err != nil {
		if v.ctx.Err() == nil {
			v.server.log.Error("read blocks", "project", v.project.ID, "error", err)
		}
		return false
	}
	if !blocks.Any() {
		return false
	}
	_, blocked := blocks.Sender(v.server.intake.AddressHash(v.project.ID, v.address), v.tokenHash, v.server.now())
	return blocked
}

// ReviewVisitors hides and shows a project's visitors by its blocks. It is to be
// called after these were changed.
func (s *Server) ReviewVisitors(project models.ID) {
	var here []*visitor
	s.mu.Lock()
	for v := range s.visitors {
		if v.project.ID == project {
			here = append(here, v)
		}
	}
	s.mu.Unlock()
	for _, v := range here {
		v.review()
	}
}
