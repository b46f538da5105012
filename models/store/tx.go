package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// tx is the writer's transaction while it is open.
type tx struct {
	w   *writer
	ctx context.Context
	now time.Time
	// heads are the last numbers of the projects' logs as this transaction sees them.
	heads   map[models.ID]*int64
	entries []models.LogEntry
	// given are the heads of the numbers given out, in that order.
	given []*int64
	// committed is run after the commit, before anybody is told of it.
	committed []func()
}

// orm is gorm inside the transaction.
func (t *tx) orm() *gorm.DB { return t.w.orm.WithContext(t.ctx) }

// applyOne runs one write. refused is for its caller alone; err ends the whole
// transaction.
func (t *tx) applyOne(o *op) (refused, err error) {
	entries, given := len(t.entries), len(t.given)
	if !o.clean {
		if _, err := t.w.stmts.savepoint.exec(); err != nil {
			return nil, fmt.Errorf("savepoint: %w", err)
		}
	}
	applyErr := o.apply(t)
	readable := errors.As(applyErr, new(*models.Error)) || errors.Is(applyErr, gorm.ErrRecordNotFound)
	if o.clean {
		if applyErr == nil || readable {
			return applyErr, nil
		}
		return nil, applyErr
	}
	if applyErr != nil {
		t.forget(entries, given)
		if _, err := t.w.stmts.rollbackTo.exec(); err != nil {
			return nil, fmt.Errorf("roll back to savepoint: %w", errors.Join(applyErr, err))
		}
	}
	if _, err := t.w.stmts.release.exec(); err != nil {
		return nil, fmt.Errorf("release savepoint: %w", errors.Join(applyErr, err))
	}
	return applyErr, nil
}

// forget takes back the events and the numbers after the first ones. A number
// may have been given out without its event: the write failed between the two.
func (t *tx) forget(entries, given int) {
	for _, head := range t.given[given:] {
		*head--
	}
	t.given = t.given[:given]
	t.entries = t.entries[:entries]
}

// nextSeq gives out the next number of a project's log.
func (t *tx) nextSeq(project models.ID) (int64, error) {
	head, ok := t.heads[project]
	if !ok {
		head = new(int64)
		found, err := t.w.stmts.readHead.row([]any{head}, project)
		if err != nil {
			return 0, fmt.Errorf("read log head: %w", err)
		}
		if !found {
			return 0, errNotFound
		}
		t.heads[project] = head
	}
	*head++
	t.given = append(t.given, head)
	return *head, nil
}

// returnSeq takes back the number that nextSeq gave out last, unused.
func (t *tx) returnSeq(project models.ID) { *t.heads[project]-- }

// eventData is what the log keeps of an entry beside its type and its item.
func eventData(entry models.LogEntry) ([]byte, error) {
	switch {
	case entry.Update != nil:
		return json.Marshal(entry.Update)
	case entry.Imported != nil:
		return json.Marshal(entry.Imported)
	case entry.Message != nil:
		return json.Marshal(messageRef{ID: entry.Message.ID, Rev: entry.Message.Rev})
	}
	return nil, nil
}

// record writes an entry, whose seq was given out by nextSeq, and keeps it for
// publishing.
func (t *tx) record(entry models.LogEntry) error {
	data, err := eventData(entry)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	_, err = t.w.stmts.insertEvent.exec(
		entry.ProjectID, entry.Seq, entry.Type, entry.FeedbackID, string(data), entry.At.UnixMilli())
	if err != nil {
		return fmt.Errorf("insert event: %w", err)
	}
	t.entries = append(t.entries, entry)
	return nil
}
