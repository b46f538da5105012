package store

import (
	"context"

	"earshot/models"
)

// MailContent is what a mail says, as it is when it is sent.
type MailContent struct {
	Address string
	// AddressHash is what is kept of it where it refuses the mail.
	AddressHash models.AddressHash
	Project     *models.Project
	// Item and Messages are of a reply and an answer.
	Item     *models.Feedback
	Messages []models.Message
	// Mode and News are of news; News also tells the time zone's.
	Mode     models.NotifyMode
	News     News
	TimeZone string
}

// MailContent reads what a mail is to say; nil where that is nothing any more, or
// nobody is to hear it: erased, unsubscribed, no member any more.
func (s *Store) MailContent(ctx context.Context, mail models.Mail) (*MailContent, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	project, err := s.Project(ctx, models.ScopeOf(mail.OrganizationID), mail.ProjectID)
	if err != nil {
		return nothing(err)
	}
	content := &MailContent{Project: project}
	var wanted bool
	switch mail.Kind {
	case models.MailReply:
		wanted, err = s.replyContent(ctx, mail, content)
	case models.MailAnswer:
		wanted, err = s.answerContent(ctx, mail, content)
	case models.MailNews:
		wanted, err = s.newsContent(ctx, mail, content)
	}
	if err != nil || !wanted {
		return nothing(err)
	}
	owner := mail.ProjectID
	if mail.UserID != "" {
		owner = ""
	}
	content.AddressHash = models.HashAddress(owner, content.Address)
	refused, err := s.mailAddress(ctx, content.AddressHash)
	if err != nil || refused.Unsubscribed || refused.Bounces >= maxBounces {
		return nothing(err)
	}
	return content, nil
}

// nothing is to be said of what is not found.
func nothing(err error) (*MailContent, error) {
	if models.CodeOf(err) == models.CodeNotFound {
		err = nil
	}
	return nil, err
}

func (s *Store) mailAddress(ctx context.Context, hash models.AddressHash) (mailAddressRow, error) {
	var row mailAddressRow
	err := s.read.WithContext(ctx).Where("hash = ?", []byte(hash)).Limit(1).Find(&row).Error
	return row, translate(err)
}

func (s *Store) replyContent(ctx context.Context, mail models.Mail, into *MailContent) (bool, error) {
	if err := s.mailMessages(ctx, mail, into, "user_id <> ''"); err != nil {
		return false, err
	}
	into.Address = into.Item.Email
	return into.Address != "" && !into.Item.Quarantined && len(into.Messages) > 0, nil
}

// answerContent has what the member has not read meanwhile.
func (s *Store) answerContent(ctx context.Context, mail models.Mail, into *MailContent) (bool, error) {
	wants, err := s.Notifications(ctx, models.ScopeOf(mail.OrganizationID), mail.UserID)
	if err != nil || !wants.Answers {
		return false, err
	}
	into.TimeZone = wants.TimeZone
	var read readRow
	err = s.read.WithContext(ctx).Where("user_id = ? AND feedback_id = ?", mail.UserID, mail.FeedbackID).Limit(1).Find(&read).Error
	if err != nil {
		return false, translate(err)
	}
	mail.Since = max(mail.Since, read.At+1)
	if err := s.mailMessages(ctx, mail, into, "user_id = ''"); err != nil {
		return false, err
	}
	if into.Item.AssigneeID != mail.UserID || into.Item.Quarantined || len(into.Messages) == 0 {
		return false, nil
	}
	into.Address, err = s.memberAddress(ctx, mail)
	return into.Address != "", err
}

func (s *Store) newsContent(ctx context.Context, mail models.Mail, into *MailContent) (wanted bool, err error) {
	wants, err := s.Notifications(ctx, models.ScopeOf(mail.OrganizationID), mail.UserID)
	if err != nil {
		return false, err
	}
	var chosen bool
	if into.Mode, chosen = wants.Projects[mail.ProjectID]; !chosen {
		return false, nil
	}
	into.TimeZone = wants.TimeZone
	if into.News, err = s.news(ctx, mail); err != nil || len(into.News.Items) == 0 {
		return false, err
	}
	into.Address, err = s.memberAddress(ctx, mail)
	return into.Address != "", err
}

// mailMessages reads the item of a mail and the public messages that it is about.
func (s *Store) mailMessages(ctx context.Context, mail models.Mail, into *MailContent, from string) (err error) {
	if into.Item, err = s.Feedback(ctx, models.ScopeOf(mail.OrganizationID), mail.FeedbackID); err != nil {
		return err
	}
	var rows []messageRow
	err = s.read.WithContext(ctx).Where("feedback_id = ? AND internal = FALSE AND deleted_at IS NULL AND created_at BETWEEN ? AND ? AND "+from,
		mail.FeedbackID, mail.Since, mail.Through).Order("created_at, id").Limit(maxConversationMessages).Find(&rows).Error
	for _, row := range rows {
		into.Messages = append(into.Messages, row.message())
	}
	return translate(err)
}

// memberAddress is "" for who is no member any more, and for who has not proved that
// the address is theirs: it may be anybody's.
func (s *Store) memberAddress(ctx context.Context, mail models.Mail) (address string, err error) {
	err = s.read.WithContext(ctx).Raw(`SELECT u.email FROM users AS u JOIN members AS m ON m.user_id = u.id
		WHERE u.id = ? AND m.organization_id = ? AND u.email_verified_at IS NOT NULL`, mail.UserID, mail.OrganizationID).Scan(&address).Error
	return address, translate(err)
}
