package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"earshot/models"
	"earshot/models/trace"
)

// NewFeedback is a submission on its way into the store.
type NewFeedback struct {
	Project    *models.Project
	Submission models.Submission // normalised
	// ResumeHash is of the visitor's token; SessionID is used where the
	// token is new. TokenMade says that we made the token for this submission:
	// then nobody has looked for it before.
	ResumeHash models.ResumeHash
	TokenMade  bool
	// SessionStored says that SessionID is the token's, as an earlier answer told.
	SessionStored bool
	SessionID     models.ID
	// AddressHash is what is kept of the sender's address.
	AddressHash string
	// Identity is the site's own id of the visitor, verified; "" where it is not.
	Identity string
	// Quarantine says why the submission is suspected; empty if it is not.
	Quarantine []string
}

// Accepted is what became of a submission: it is on disk.
type Accepted struct {
	ID        models.ID
	SessionID models.ID
	// Repeated: the same submission was accepted before; nothing was written.
	Repeated bool
	// Owned: the token is that of the feedback's own session, which may know
	// its receipt.
	Owned          bool
	ReceiptVersion int
}

// Submit stores a submission once, however often and over whatever it comes.
// The same id with another payload, in another project, or of an erased item
// is CodeIDConflict.
func (s *Store) Submit(ctx context.Context, in NewFeedback) (Accepted, error) {
	submission := &in.Submission
	fingerprint := submission.Fingerprint()
	reasons := []byte("[]")
	if len(in.Quarantine) > 0 {
		var err error
		if reasons, err = json.Marshal(in.Quarantine); err != nil {
			return Accepted{}, fmt.Errorf("encode quarantine reasons: %w", err)
		}
	}
	// Only after the wait may it be read.
	given := &submissionOp{in: &in, fingerprint: fingerprint, reasons: reasons}
	o := &op{clean: true, done: make(chan error, 1), span: trace.Of(ctx), apply: func(t *tx) (err error) {
		given.accepted, err = t.submit(in, submission, fingerprint, reasons)
		return err
	}}
	if len(submission.AttachmentIDs) == 0 {
		o.submission = given
	}
	if err := s.writer.wait(ctx, o); err != nil {
		return Accepted{}, err
	}
	return given.accepted, nil
}

// submit inserts and sees by the outcome whether the id is new: of a thousand
// submissions hardly one is a repetition, so looking first would be a query too
// many for all of them. Where the id is taken nothing has been written, and the
// seq goes back.
func (t *tx) submit(in NewFeedback, sub *models.Submission, fingerprint, reasons []byte) (Accepted, error) {
	session, known, err := t.visitorSession(in)
	if err != nil {
		return Accepted{}, err
	}
	if len(sub.AttachmentIDs) > 0 { // before anything is written
		if err := t.checkAttachments(in); err != nil {
			return Accepted{}, err
		}
	}
	seq, err := t.nextSeq(in.Project.ID)
	if err != nil {
		return Accepted{}, err
	}
	at := t.now.UnixMilli()
	inserted, err := t.w.stmts.insertFeedback.exec(sub.ID, in.Project.OrganizationID, in.Project.ID, session, seq, fingerprint,
		sub.Message, sub.PageURL, sub.Kind, sub.Rating, sub.Email, sub.Name, string(sub.Context),
		len(in.Quarantine) > 0, string(reasons), in.AddressHash, at, at, at)
	if err != nil {
		return Accepted{}, fmt.Errorf("insert feedback: %w", err)
	}
	if inserted == 0 {
		t.returnSeq(in.Project.ID)
		return t.earlier(in, fingerprint, session, known)
	}
	if !known {
		if _, err := t.w.stmts.insertSession.exec(in.Project.ID, []byte(in.ResumeHash), session, at); err != nil {
			return Accepted{}, fmt.Errorf("insert visitor session: %w", err)
		}
	}
	if len(sub.AttachmentIDs) > 0 {
		if err := t.claimAttachments(in); err != nil {
			return Accepted{}, err
		}
	}
	if in.Identity != "" {
		if err := t.orm().Model(&feedbackRow{}).Where("id = ?", sub.ID).Update("identity", in.Identity).Error; err != nil {
			return Accepted{}, err
		}
	}
	err = t.record(models.LogEntry{
		ProjectID: in.Project.ID, Seq: seq, Type: models.EventFeedbackReceived, FeedbackID: sub.ID, At: fromMillis(at),
		Feedback: newItem(in, session, at),
	})
	return Accepted{ID: sub.ID, SessionID: session, Owned: true, ReceiptVersion: 1}, err
}

// earlier finds what the id was used for before.
func (t *tx) earlier(in NewFeedback, fingerprint []byte, session models.ID, known bool) (Accepted, error) {
	var project, owner models.ID
	var stored []byte
	var version int
	var erased bool
	found, err := t.w.stmts.findFeedback.row([]any{&project, &owner, &stored, &version, &erased}, in.Submission.ID)
	if err != nil || !found {
		return Accepted{}, fmt.Errorf("find feedback %s: found %t: %w", in.Submission.ID, found, err)
	}
	if project != in.Project.ID || erased || !bytes.Equal(stored, fingerprint) {
		return Accepted{}, errIDTaken()
	}
	return Accepted{
		ID: in.Submission.ID, SessionID: owner, Repeated: true, Owned: known && session == owner, ReceiptVersion: version,
	}, nil
}

func errIDTaken() error {
	return models.Errorf(models.CodeIDConflict, "this id was used for something else")
}

// visitorSession finds the session of the visitor's token; known is false where
// the token is new, and the session's id is then the one that was brought.
func (t *tx) visitorSession(in NewFeedback) (id models.ID, known bool, err error) {
	if in.TokenMade || in.SessionStored && !t.w.erased.has(in.SessionID) {
		return in.SessionID, in.SessionStored, nil
	}
	known, err = t.w.stmts.findSession.row([]any{&id}, in.Project.ID, []byte(in.ResumeHash))
	if err != nil {
		return "", false, fmt.Errorf("find visitor session: %w", err)
	}
	if !known {
		return in.SessionID, false, nil
	}
	return id, true, nil
}

// newItem is the item as it was just written.
func newItem(in NewFeedback, session models.ID, at int64) *models.Feedback {
	sub := in.Submission
	return &models.Feedback{
		ID: sub.ID, OrganizationID: in.Project.OrganizationID, ProjectID: in.Project.ID, SessionID: session,
		Message: sub.Message, PageURL: sub.PageURL, Kind: sub.Kind, Rating: sub.Rating, Email: sub.Email, Name: sub.Name,
		Context: sub.Context, Status: models.StatusNew, Priority: models.PriorityNormal, Rev: 1, Tags: []string{},
		Quarantined: len(in.Quarantine) > 0, QuarantineReasons: in.Quarantine, ReceiptVersion: 1, Attachments: len(sub.AttachmentIDs), Identity: in.Identity,
		CreatedAt: fromMillis(at), UpdatedAt: fromMillis(at), VisitorAt: fromMillis(at),
	}
}

// HasFeedback reports whether a submission with this id is in the project.
func (s *Store) HasFeedback(ctx context.Context, project, id models.ID) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var n int64
	err := s.read.WithContext(ctx).Model(&feedbackRow{}).Where("id = ? AND project_id = ?", id, project).Count(&n).Error
	return n > 0, translate(err)
}

// VisitorSession finds the session behind a visitor's token; CodeNotFound if
// nothing was ever submitted with it.
func (s *Store) VisitorSession(ctx context.Context, project models.ID, token models.ResumeHash) (models.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row visitorSessionRow
	err := s.read.WithContext(ctx).Where("project_id = ? AND resume_hash = ?", project, []byte(token)).Take(&row).Error
	return row.ID, translate(err)
}
