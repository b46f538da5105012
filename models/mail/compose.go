package mail

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/mail"
	"net/url"
	texttemplate "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"earshot/models"
	"earshot/models/store"
)

//go:embed templates/mail.html
var htmlSource string

//go:embed templates/mail.txt
var textSource string

// composer turns what a mail is about into what it says.
type composer struct {
	Links
	from mail.Address
	host string // of the base URL: where Message-IDs are unique
	// receipt is the address of an item's receipt.
	receipt func(models.ID, int) string
	html    *htmltemplate.Template
	text    *texttemplate.Template
}

func newComposer(options Options) (*composer, error) {
	base, err := url.Parse(options.Links.BaseURL)
	if err != nil || base.Hostname() == "" {
		return nil, errors.New("mails need the public address")
	}
	c := &composer{Links: options.Links, from: options.From, host: base.Hostname(), receipt: options.ReceiptURL}
	if c.html, err = htmltemplate.New("mail").Parse(htmlSource); err != nil {
		return nil, fmt.Errorf("parse mail: %w", err)
	}
	if c.text, err = texttemplate.New("mail").Parse(textSource); err != nil {
		return nil, fmt.Errorf("parse mail's text: %w", err)
	}
	return c, nil
}

// view is what both forms of a mail show. All of it is text but the links, which
// are ours.
type view struct {
	Subject, Title, Counts       string
	Blocks                       []block
	Items                        []item
	More                         string
	Button, Link, How            string
	Quote                        *block
	Why                          string
	Unsubscribe, UnsubscribeLink string
	Preferences                  string // "" for visitors
}

// block is what somebody said. Theirs is a visitor's, and marked as such where
// nothing else tells it from ours.
type block struct {
	Who, Text string
	Theirs    bool
}

// item is one of several pieces of feedback.
type item struct{ Who, Text, Link string }

// errAddress is for an address that no mail can be sent to.
var errAddress = errors.New("this is not an address that mail can be sent to")

// message composes a mail. Nothing that people wrote gets into its headers but as
// words of the subject and of a name, on one line and encoded.
func (c *composer) message(m models.Mail, content *store.MailContent, now time.Time) (*gomail.Msg, error) {
	to, err := mail.ParseAddress(content.Address)
	if err != nil || to.Address != content.Address || to.Name != "" {
		return nil, errAddress
	}
	v := c.view(m, content)
	v.UnsubscribeLink = c.Links.Unsubscribe(models.Unsubscription{
		Kind: m.Kind, ProjectID: m.ProjectID, UserID: m.UserID, Address: content.AddressHash,
	})
	var html, text bytes.Buffer
	if err := c.html.Execute(&html, v); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	if err := c.text.Execute(&text, v); err != nil {
		return nil, fmt.Errorf("compose mail's text: %w", err)
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := c.from
	if m.Kind == models.MailReply { // visitors know the site, not who answers for it
		from.Name = headerText(content.Project.Name)
	}
	message.FromMailAddress(&from)
	message.AddToMailAddress(to)
	message.Subject(headerText(v.Subject))
	message.SetDateWithValue(now)
	message.SetMessageIDWithValue(c.messageID(m.ID))
	if m.FeedbackID != "" { // all mails about an item are one thread
		message.SetGenHeader(gomail.HeaderReferences, "<"+c.messageID(m.FeedbackID)+">")
	}
	message.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+v.UnsubscribeLink+">")
	message.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click") // RFC 8058
	message.SetGenHeader("Auto-Submitted", "auto-generated")                             // RFC 3834
	message.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	message.SetBodyString(gomail.TypeTextPlain, undirected(text.String()))
	message.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return message, nil
}

func (c *composer) messageID(id models.ID) string { return string(id) + "@" + c.host }

func (c *composer) inbox(project models.ID) string {
	return c.BaseURL + "/projects/" + string(project) + "/inbox"
}
