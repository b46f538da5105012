package realtime

import (
	"context"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// following is a visitor's socket's place in the part of the log that is its
// session's.
type following struct {
	place
	session models.ID
	visitor *visitor
}

func (f *following) read(ctx context.Context, since int64) ([]models.LogEntry, error) {
	return f.server.store.ReadVisitorLog(ctx, f.scope, f.project, f.session, since, replayPage)
}

func (f *following) encode(entries []models.LogEntry) (publication, error) {
	return f.server.hub.encodeForVisitor(entries)
}

// lost goes on behind the head: what came before it the client has to fetch.
func (f *following) lost(head store.Head) error {
	f.next = head.Last + 1
	return f.visitor.answer(protocol.ResumeFailed{Reason: protocol.ReasonTooOld}, "")
}

// join makes the socket one of its session's, which is stored or is about to be.
// Nothing comes from it before it is started. A socket is in one session at a
// time.
func (v *visitor) join(session models.ID) *following {
	v.leave()
	f := &following{session: session, visitor: v}
	f.place = place{
		project: v.project.ID, scope: models.ScopeOf(v.project.OrganizationID), server: v.server, conn: v.conn, part: f,
		sparse: true, turn: make(chan struct{}, 1),
	}
	v.followed = f
	v.server.hub.follow(f)
	return f
}

// leave ends what join began. The reader calls it, before it ends.
func (v *visitor) leave() {
	if v.followed != nil {
		v.followed.end()
		v.server.hub.unfollow(v.followed)
		v.followed = nil
	}
}

// joinNew joins a session that is made with the submission to come: all that
// will ever happen in it is still ahead.
func (v *visitor) joinNew(session models.ID) {
	if v.followed == nil || v.followed.session != session {
		v.join(session).startLive(0)
	}
}

// joinLive joins a session that exists, from now on.
func (v *visitor) joinLive(session models.ID) error {
	f := v.join(session)
	head, err := v.head()
	if err != nil {
		v.leave()
		return err
	}
	f.startLive(head.Last)
	return nil
}

func (v *visitor) head() (store.Head, error) {
	return v.server.store.LogHead(v.ctx, models.ScopeOf(v.project.OrganizationID), v.project.ID)
}

// resume joins a session that exists, from the event on that the client has seen
// last. It joins before it reads where the log stands, so that whatever is
// committed in between is either read or handed over.
func (v *visitor) resume(session models.ID, e protocol.Hello, id string) error {
	f := v.join(session)
	head, err := v.head()
	if err != nil {
		v.leave()
		return err
	}
	if reason := CannotResumeVisitor(head, e.Epoch, *e.Since); reason != "" {
		err = v.answer(protocol.ResumeFailed{Reason: reason}, id)
		f.startLive(head.Last)
		return err
	}
	err = v.answer(protocol.Resumed{From: *e.Since, To: head.Last}, id)
	f.start(*e.Since+1, head.Last)
	return err
}
