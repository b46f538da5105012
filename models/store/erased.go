package store

import "earshot/models"

// maxErased bounds the memory of erased sessions; one takes about 100 bytes.
const maxErased = 1 << 16

// erasedSessions are the visitors' sessions that were erased since this process
// began: what a socket knows of one by heart holds no more. Where there are too
// many, no socket's memory is trusted.
type erasedSessions struct {
	ids map[models.ID]struct{}
	all bool
}

func (e *erasedSessions) add(ids []models.ID) {
	if e.all = e.all || len(e.ids)+len(ids) > maxErased; e.all {
		e.ids = nil
		return
	}
	if e.ids == nil {
		e.ids = map[models.ID]struct{}{}
	}
	for _, id := range ids {
		e.ids[id] = struct{}{}
	}
}

func (e *erasedSessions) has(id models.ID) bool {
	_, erased := e.ids[id]
	return erased || e.all
}
