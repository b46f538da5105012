package realtime

import (
	"context"
	"errors"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// Both sides of a conversation, by their sockets.

// message takes the visitor's side. Its answer is its own even where it is
// refused.
func (v *visitor) message(e protocol.MessageSent, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), submitTimeout)
	defer cancel()
	posted, err := v.sent(ctx, e, id)
	if err == nil {
		return v.answer(protocol.MessageAccepted{ID: posted.Message.ID}, id)
	}
	if !errors.As(err, new(*models.Error)) {
		v.server.log.Error("visitor message", "project", v.project.ID, "error", err)
	}
	rejected := protocol.Rejection(err)
	return v.refuse(rejected, rejected.Code, id)
}

func (v *visitor) sent(ctx context.Context, e protocol.MessageSent, id string) (store.Posted, error) {
	session := v.sessionID()
	if !v.stored {
		// By another way something may have been submitted under the token since.
		known, err := v.server.store.VisitorSession(ctx, v.project.ID, models.HashResumeToken(v.token))
		if err != nil {
			return store.Posted{}, err
		}
		session = known
	}
	return v.server.intake.Message(ctx, intake.MessageRequest{
		Project: v.project, Session: session, Address: v.address,
		Message: models.NewMessage{ID: models.ID(id), FeedbackID: e.FeedbackID, Body: e.Body},
	})
}

// may asks the store whether the member may do what their role has to allow: it
// may have changed since the socket was opened.
func (d *dashboard) may(ctx context.Context, allows func(models.Claims) bool) (models.Claims, error) {
	claims := d.claims.Load()
	now, err := d.server.store.Authorize(ctx, claims.SessionID)
	if err != nil {
		return now, err
	}
	if now.Scope != claims.Scope || !allows(now) {
		return now, models.Errorf(models.CodeForbidden, "your role does not allow this")
	}
	return now, nil
}

// post takes a reply or a note of a member.
func (d *dashboard) post(id string, feedback models.ID, visibility models.Visibility, body string) error {
	ctx, cancel := context.WithTimeout(context.Background(), submitTimeout)
	defer cancel()
	claims, err := d.may(ctx, models.Claims.CanTriage)
	if err != nil {
		return d.rejected(err, id)
	}
	in := models.NewMessage{
		ID: models.ID(id), FeedbackID: feedback, Visibility: visibility, Body: body,
		Author: models.Author{Kind: models.AuthorMember, UserID: claims.UserID, Name: d.name},
	}
	if err := in.Normalize(); err != nil {
		return d.rejected(err, id)
	}
	posted, err := d.server.store.PostMessage(ctx, claims.Scope, in)
	if err != nil {
		return d.rejected(err, id)
	}
	return d.answer(protocol.MessageAccepted{ID: posted.Message.ID}, id)
}

func (d *dashboard) editNote(e protocol.NoteEdited, id string) error {
	body := models.NormalizeBody(e.Body)
	if err := models.CheckBody(body); err != nil {
		return d.rejected(err, id)
	}
	return d.changeNote(store.NoteChange{FeedbackID: e.FeedbackID, MessageID: e.MessageID, Rev: e.Rev, Body: body}, id)
}

func (d *dashboard) deleteNote(e protocol.NoteDeleted, id string) error {
	return d.changeNote(store.NoteChange{FeedbackID: e.FeedbackID, MessageID: e.MessageID, Rev: e.Rev}, id)
}

func (d *dashboard) changeNote(change store.NoteChange, id string) error {
	if change.Rev < 1 {
		return d.rejected(models.InvalidField("rev", "must be the revision that was read, at least 1"), id)
	}
	ctx, cancel := context.WithTimeout(context.Background(), submitTimeout)
	defer cancel()
	claims, err := d.may(ctx, models.Claims.CanTriage)
	if err != nil {
		return d.rejected(err, id)
	}
	change.By, change.AnyAuthor = claims.UserID, change.Body == "" && claims.CanManage()
	changed, err := d.server.store.ChangeNote(ctx, claims.Scope, change)
	if err != nil {
		return d.rejected(err, id)
	}
	return d.answer(protocol.MessageAccepted{ID: changed.ID}, id)
}

// rejected tells a member why a message or a note was not taken.
func (d *dashboard) rejected(err error, id string) error {
	if !errors.As(err, new(*models.Error)) {
		d.server.log.Error("dashboard message", "error", err)
	}
	rejection := protocol.Rejection(err)
	return d.refuse(rejection, rejection.Code, id)
}
