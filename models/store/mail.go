package store

import (
	"context"
	"time"

	"earshot/models"
)

// The queue of mails is a table of ours and not the library's that jobs wait in:
// a mail is found by its item (to be joined by the next reply, to be gone with
// what is erased), waits by the store's clock, and is still there for people to see
// once it was given up.

const (
	// mailDelay is how long a reply waits before it is mailed: who reads it where
	// it was written about gets no mail, and several replies are one.
	mailDelay = time.Minute
	// mailLease is how long one attempt may take. Who dies in it leaves the mail to
	// be sent again.
	mailLease = 10 * time.Minute
	// An hour's bounds, of mails to one recipient and of all of a project's; what
	// is beyond waits for mailPostponed.
	mailsPerRecipient = 30
	mailsPerProject   = 500
	mailPostponed     = 5 * time.Minute
	mailsCounted      = time.Hour
	// failedKept is how long a mail that was given up can be seen.
	failedKept = 30 * 24 * time.Hour
	// maxBounces is how often an address may refuse a mail for good, one after the
	// other, before it gets none any more.
	maxBounces = 3
)

// mailRetries is how long a mail waits after each attempt that failed: a little
// over three days in all.
func mailRetries() []time.Duration {
	const half = 12 * time.Hour
	return []time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, half, half, half, half, half,
	}
}

// longestMailWait is more than any mail waits: one that is due later was put off
// by a clock that was wrong.
const longestMailWait = 13 * time.Hour

// queueMail has a message mailed to whoever it is meant for, if anybody. Several
// that wait are one mail; one that was begun is not changed any more, so that a
// repetition of it is the same.
func (t *tx) queueMail(item *feedbackRow, by messageRow) error {
	row := mailRow{
		ID: models.NewID(), Kind: models.MailReply, OrganizationID: item.OrganizationID, ProjectID: item.ProjectID, FeedbackID: item.ID,
		Recipient: models.HashAddress(item.ProjectID, item.Email), Since: by.CreatedAt, State: mailWaiting,
		DueAt: t.now.Add(mailDelay).UnixMilli(), CreatedAt: t.now.UnixMilli(),
	}
	somebody := item.Email != ""
	if by.UserID == "" {
		row.Kind, row.UserID, row.Recipient = models.MailAnswer, item.AssigneeID, memberHash(item.AssigneeID)
		somebody = item.AssigneeID != ""
	}
	if !t.w.mails || !somebody || item.Quarantined {
		return nil
	}
	joined, err := rows(t.orm().Exec(`UPDATE mails SET since = CASE WHEN since < ? THEN since ELSE ? END
		WHERE feedback_id = ? AND feedback_id <> '' AND kind = ? AND user_id = ? AND state = 'waiting' AND through = 0`,
		row.Since, row.Since, row.FeedbackID, row.Kind, row.UserID))
	if err != nil || joined > 0 {
		return err
	}
	return t.orm().Create(&row).Error
}

// memberHash is what a member's mails are counted by.
func memberHash(user models.ID) []byte { return models.HashAddress("member", string(user)) }

// BeginMail takes the mail that has been due for longest; nil where none is. It is
// the caller's for a while, who says what became of it by one of the other calls.
func (s *Store) BeginMail(ctx context.Context) (*models.Mail, error) {
	for {
		due, err := s.nextMail(ctx)
		if err != nil || due == "" {
			return nil, err
		}
		// Over its bound it was put off, and something else may be due.
		if mail, err := s.beginMail(ctx, due); err != nil || mail != nil {
			return mail, err
		}
	}
}

// mailDue is what is due by the clock, mailAstray what was put off by a wrong one.
const (
	mailDue    = "state IN ('waiting', 'sending') AND due_at <= ?"
	mailAstray = "state IN ('waiting', 'sending') AND due_at > ?"
)

// nextMail asks without a write.
func (s *Store) nextMail(ctx context.Context) (models.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	now := s.now()
	var row mailRow
	err := s.read.WithContext(ctx).Select("id").Where(mailDue, now.UnixMilli()).Order("due_at").Limit(1).Find(&row).Error
	if err == nil && row.ID == "" {
		err = s.read.WithContext(ctx).Select("id").Where(mailAstray, now.Add(longestMailWait).UnixMilli()).Limit(1).Find(&row).Error
	}
	return row.ID, translate(err)
}

func (s *Store) beginMail(ctx context.Context, id models.ID) (*models.Mail, error) {
	var begun *models.Mail
	err := s.writer.do(ctx, false, func(t *tx) error {
		begun = nil
		var row mailRow
		// Another node may have begun it since it was looked for.
		err := t.orm().Where("id = ? AND state IN ('waiting', 'sending') AND (due_at <= ? OR due_at > ?)",
			id, t.now.UnixMilli(), t.now.Add(longestMailWait).UnixMilli()).Limit(1).Find(&row).Error
		if err != nil || row.ID == "" { // erased since it was looked for
			return err
		}
		over, err := t.overBounds(&row)
		if err != nil {
			return err
		}
		if over {
			row.DueAt = t.now.Add(mailPostponed).UnixMilli()
			return t.orm().Save(&row).Error
		}
		if row.Through == 0 {
			if row.Through, err = t.newestMessage(row.FeedbackID); err != nil {
				return err
			}
		}
		row.State, row.DueAt = mailSending, t.now.Add(mailLease).UnixMilli()
		mail := row.mail()
		begun = &mail
		return t.orm().Save(&row).Error
	})
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// overBounds reports whether a mail would be one too many for its recipient or
// its project within the hour.
func (t *tx) overBounds(row *mailRow) (bool, error) {
	since := t.now.Add(-mailsCounted).UnixMilli()
	var recipient, project int64
	err := t.orm().Model(&mailRow{}).Where("recipient = ? AND ended_at > ? AND ended_at <= ? AND state = 'sent'",
		row.Recipient, since, t.now.UnixMilli()).Count(&recipient).Error
	if err != nil {
		return false, err
	}
	err = t.orm().Model(&mailRow{}).Where("project_id = ? AND ended_at > ? AND ended_at <= ? AND state = 'sent'",
		row.ProjectID, since, t.now.UnixMilli()).Count(&project).Error
	return recipient >= mailsPerRecipient || project >= mailsPerProject, err
}

func (t *tx) newestMessage(feedback models.ID) (at int64, err error) {
	err = t.orm().Raw("SELECT COALESCE(MAX(created_at), 0) FROM messages WHERE feedback_id = ?", feedback).Scan(&at).Error
	return max(at, 1), err
}

// MailSent notes that the mail server has taken a mail. Its recipient's address is
// a good one.
func (s *Store) MailSent(ctx context.Context, mail models.Mail, address models.AddressHash) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		if err := t.orm().Exec("UPDATE mail_addresses SET bounces = 0 WHERE hash = ? AND bounces > 0", []byte(address)).Error; err != nil {
			return err
		}
		return t.endMail(mail.ID, mailSent, "")
	})
}

func (t *tx) endMail(id models.ID, state mailState, reason string) error {
	return t.orm().Model(&mailRow{}).Where("id = ?", id).
		Updates(map[string]any{"state": state, "error": reason, "ended_at": t.now.UnixMilli()}).Error
}

// DropMail forgets a mail that has nothing to say any more, or to nobody.
func (s *Store) DropMail(ctx context.Context, id models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error { return t.orm().Delete(&mailRow{ID: id}).Error })
}

// RetryMail has a mail sent again later: given is false. After as many attempts as
// there may be it is given up. unreachable says that no mail server was there.
func (s *Store) RetryMail(ctx context.Context, id models.ID, reason string, unreachable bool) (given bool, err error) {
	retries := mailRetries()
	var last bool
	err = s.writer.do(ctx, false, func(t *tx) error {
		var row mailRow
		if err := t.orm().Where("id = ?", id).Limit(1).Find(&row).Error; err != nil || row.ID == "" {
			return err
		}
		if last = row.Attempts >= len(retries); last {
			return t.endMail(id, mailFailed, reason)
		}
		row.State, row.Error, row.Unreachable = mailWaiting, reason, unreachable
		row.DueAt = t.now.Add(retries[row.Attempts]).UnixMilli()
		row.Attempts++
		return t.orm().Save(&row).Error
	})
	if err != nil {
		return false, err
	}
	return last, nil
}

// FailMail gives a mail up. bounced says that its address has refused it for good.
func (s *Store) FailMail(ctx context.Context, mail models.Mail, reason string, address models.AddressHash, bounced bool) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		if bounced {
			project := mail.ProjectID
			if mail.UserID != "" {
				project = ""
			}
			// A hash right behind a parenthesis would be taken for a list.
			err := t.orm().Exec(`INSERT INTO mail_addresses (bounces, hash, project_id, updated_at) VALUES (1, ?, ?, ?)
				ON CONFLICT (hash) DO UPDATE SET bounces = mail_addresses.bounces + 1, updated_at = excluded.updated_at`,
				[]byte(address), project, t.now.UnixMilli()).Error
			if err != nil {
				return err
			}
		}
		return t.endMail(mail.ID, mailFailed, reason)
	})
}

// ReleaseMail gives a mail back that was not sent, through no fault of its own.
func (s *Store) ReleaseMail(ctx context.Context, id models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Model(&mailRow{}).Where("id = ?", id).Updates(map[string]any{"state": mailWaiting, "due_at": t.now.UnixMilli()}).Error
	})
}

// RequeueMails makes those due that were being sent by somebody who is gone, or
// waited for a mail server. It is for the start of the only server of a database: in
// PostgreSQL another one may be sending them, and its time runs out by itself.
func (s *Store) RequeueMails(ctx context.Context) error {
	if s.writer.remote != nil {
		return s.HurryMails(ctx)
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Exec(`UPDATE mails SET state = 'waiting', unreachable = FALSE, due_at = ?
			WHERE state = 'sending' OR state = 'waiting' AND unreachable = TRUE`, t.now.UnixMilli()).Error
	})
}

// HurryMails makes those due that waited for a mail server which is there again.
func (s *Store) HurryMails(ctx context.Context) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Exec("UPDATE mails SET unreachable = FALSE, due_at = ? WHERE state = 'waiting' AND unreachable = TRUE", t.now.UnixMilli()).Error
	})
}

// PruneMails forgets some of what nobody counts or looks at any more; more says
// that there may be more of it.
func (s *Store) PruneMails(ctx context.Context) (more bool, err error) {
	var full bool
	err = s.writer.do(ctx, false, func(t *tx) error {
		removed, err := rows(t.orm().Exec(`DELETE FROM mails WHERE id IN (SELECT id FROM mails
			WHERE state = 'sent' AND ended_at <= ? OR state = 'failed' AND ended_at <= ? LIMIT ?)`,
			t.now.Add(-mailsCounted).UnixMilli(), t.now.Add(-failedKept).UnixMilli(), pruneBatch))
		full = removed == pruneBatch
		return err
	})
	if err != nil {
		return false, err
	}
	return full, nil
}

// MailCounts says how many mails wait, and how many were given up of late.
func (s *Store) MailCounts(ctx context.Context) (waiting, failed int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var counts struct{ Waiting, Failed int64 }
	err = s.read.WithContext(ctx).Raw(`SELECT COUNT(*) FILTER (WHERE state IN ('waiting', 'sending')) AS waiting,
		COUNT(*) FILTER (WHERE state = 'failed') AS failed FROM mails`).Scan(&counts).Error
	return counts.Waiting, counts.Failed, translate(err)
}
