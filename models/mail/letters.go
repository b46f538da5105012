package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"

	"earshot/models"
	"earshot/models/store"
)

// Letter is a mail about an account: somebody asked for it, or was invited. It holds
// a link that is a secret.
type Letter struct {
	To      string
	Subject string
	Title   string
	Text    string
	Button  string
	Link    string
	Why     string
}

const letterUse = "letter"

// Post keeps a letter and has it sent at once, and again until it was taken, for as
// long as its link is good.
func (r *Runner) Post(ctx context.Context, letter Letter, lifetime time.Duration) error {
	plain, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("encode letter: %w", err)
	}
	if err := r.Store.PutLetter(ctx, r.letters.Seal(plain, letterUse), lifetime); err != nil {
		return err
	}
	select {
	case r.posted <- struct{}{}:
	default:
	}
	return nil
}

// nextLetter deals with one letter; it is false where there is nothing more to do
// for now.
func (r *Runner) nextLetter(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	begun, err := r.Store.BeginLetter(ctx)
	if err != nil || begun == nil {
		if err != nil {
			r.complain(ctx, "look for letters", err)
		}
		return false
	}
	message, err := r.openLetter(begun)
	if err != nil {
		r.Log.Error("letter given up", "letter", begun.ID, "error", err)
		return r.endLetter(begun.ID)
	}
	result, err := r.sender.send(ctx, message, r.Now())
	switch result {
	case delivered:
		return r.endLetter(begun.ID)
	case bounced, rejected:
		r.Log.Warn("letter given up", "letter", begun.ID, "reason", reason(err))
		return r.endLetter(begun.ID)
	case unreachable, retry:
		r.Log.Warn("letter put off", "letter", begun.ID, "reason", reason(err))
	}
	return false
}

func (r *Runner) endLetter(id models.ID) bool {
	return r.tell(id, "end letter", func(ctx context.Context) error { return r.Store.EndLetter(ctx, id) })
}

func (r *Runner) openLetter(begun *store.Letter) (*gomail.Msg, error) {
	plain, err := r.letters.Open(begun.Sealed, letterUse)
	if err != nil {
		return nil, err
	}
	var letter Letter
	if err := json.Unmarshal(plain, &letter); err != nil {
		return nil, fmt.Errorf("decode letter: %w", err)
	}
	return r.composer.letter(begun.ID, letter, r.Now())
}

func (c *composer) letter(id models.ID, letter Letter, now time.Time) (*gomail.Msg, error) {
	to, err := mail.ParseAddress(letter.To)
	if err != nil || to.Address != letter.To || to.Name != "" {
		return nil, errAddress
	}
	v := view{
		Subject: letter.Subject, Title: letter.Title, Button: letter.Button, Link: letter.Link, How: letter.Text, Why: letter.Why,
	}
	var html, text bytes.Buffer
	if err := c.html.Execute(&html, v); err != nil {
		return nil, fmt.Errorf("compose letter: %w", err)
	}
	if err := c.text.Execute(&text, v); err != nil {
		return nil, fmt.Errorf("compose letter's text: %w", err)
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := c.from
	message.FromMailAddress(&from)
	message.AddToMailAddress(to)
	message.Subject(headerText(letter.Subject))
	message.SetDateWithValue(now)
	message.SetMessageIDWithValue(c.messageID(id))
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	message.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	message.SetBodyString(gomail.TypeTextPlain, undirected(text.String()))
	message.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return message, nil
}
