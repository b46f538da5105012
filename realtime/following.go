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

// recent has nothing: of all that is published, little is a visitor's.
func (f *following) recent(int64) (publication, bool) { return publication{}, false }

func (f *following) encode(entries []models.LogEntry) (publication, error) {
	return f.server.hub.encodeForVisitor(entries)
}

// lost goes on behind the head: what came before it the client has to fetch.
func (f *following) lost(head store.Head) error {
	f.next = head.Last + 1
	return f.visitor.answer(protocol.ResumeFailed{Reason: protocol.ReasonTooOld}, "")
}

// hello takes up the session of a resume token. A token that we do not know
// starts a new session under it.
func (v *visitor) hello(e protocol.Hello, id string, first bool) error {
	if !first {
		return models.Errorf(models.CodeBadRequest, "Hello must be the first event, and come once")
	}
	if e.PageURL != "" {
		if err := models.CheckPageURL(e.PageURL); err != nil {
			return err
		}
		v.server.hub.seenOn(v, v.project.ID, e.PageURL)
	}
	if e.ResumeToken == nil {
		if e.Since != nil {
			return models.InvalidField("since", "needs a resume_token")
		}
		return nil
	}
	token := *e.ResumeToken
	switch {
	case !models.ValidToken(token):
		return models.InvalidField("resume_token", "must be 43 characters of base64url")
	case e.Since != nil && *e.Since < 0:
		return models.InvalidField("since", "must not be negative")
	}
	if e.Since != nil && *e.Since != 0 && e.Epoch == "" {
		return models.InvalidField("epoch", "is needed with since")
	}
	v.token = token
	v.setTokenHash()
	session, err := v.server.store.VisitorSession(v.ctx, v.project.ID, models.HashResumeToken(token))
	unknown := models.CodeOf(err) == models.CodeNotFound
	if err != nil && !unknown {
		return err
	}
	if unknown {
		v.beginProvisional()
	} else {
		v.server.leaveProvisional(v)
		v.setSession(session)
		v.stored = true
	}
	switch {
	case e.Since == nil && unknown:
		return nil
	case e.Since == nil:
		return v.joinLive(session)
	case unknown:
		return v.answer(protocol.ResumeFailed{Reason: protocol.ReasonUnknownToken}, id)
	}
	return v.resume(session, e, id)
}

// beginProvisional takes up the session that other sockets of the token are in, or
// else begins one.
func (v *visitor) beginProvisional() {
	session, begun := v.server.enterProvisional(v, v.token)
	v.setSession(session)
	if begun {
		v.joinNew(session)
	}
}

// join makes the socket one of its session's, which is stored or is about to be.
// Nothing comes from it before it is started. A socket is in one session at a
// time, and in none once it has ended.
func (v *visitor) join(session models.ID) *following {
	v.followMu.Lock()
	defer v.followMu.Unlock()
	return v.joinLocked(session)
}

func (v *visitor) joinLocked(session models.ID) *following {
	v.leaveLocked()
	f := &following{session: session, visitor: v}
	f.place = place{
		project: v.project.ID, scope: models.ScopeOf(v.project.OrganizationID), server: v.server, conn: v.conn, part: f,
		sparse: true, turn: make(chan struct{}, 1), ended: v.left,
	}
	if !v.left {
		v.followed = f
		v.server.hub.follow(f)
	}
	return f
}

// leave ends what join began.
func (v *visitor) leave() {
	v.followMu.Lock()
	defer v.followMu.Unlock()
	v.leaveLocked()
}

func (v *visitor) leaveLocked() {
	if v.followed != nil {
		v.followed.end()
		v.server.hub.unfollow(v.followed)
		v.followed = nil
	}
}

// leaveForGood is called at the socket's end.
func (v *visitor) leaveForGood() {
	v.followMu.Lock()
	defer v.followMu.Unlock()
	v.left = true
	v.leaveLocked()
}

// joinNew joins a session that is made with a submission to come, the socket's
// own or another's of the same token: all that will ever happen in it is ahead.
// Any goroutine may call it.
func (v *visitor) joinNew(session models.ID) {
	v.followMu.Lock()
	defer v.followMu.Unlock()
	if v.followed == nil || v.followed.session != session {
		v.joinLocked(session).startLive(0)
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
