package api

import (
	"cmp"
	"context"
	netmail "net/mail"
	"time"

	"earshot/models"
	"earshot/models/mail"
)

// MailConfig is how mail is sent.
type MailConfig struct {
	Server mail.Server
	// From is whom mails are from.
	From netmail.Address
	// Look is how often mail is looked for, where it is not mail.Look.
	Look time.Duration
}

// noticedMargin is taken off the time at which a visitor looks: what is committed
// then may be a moment older and not be in what they see.
const noticedMargin = 2 * time.Second

func (s *Server) startMail(ctx context.Context) (err error) {
	config := s.config.Mail
	if config == nil {
		return nil
	}
	key, err := models.DeriveKey(s.config.Secret, "earshot letters")
	if err != nil {
		return err
	}
	s.mails, err = mail.Start(ctx, mail.Options{
		Store: s.store, Server: config.Server, From: config.From, Links: s.mailLinks, ReceiptURL: s.intake.ReceiptURL,
		Seen:      func(item *models.Feedback) time.Time { return s.hub.SeenUpTo(item, s.now()) },
		LetterKey: key, Log: s.log, Now: s.now, Look: cmp.Or(config.Look, mail.Look),
	})
	return err
}
