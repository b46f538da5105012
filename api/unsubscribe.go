package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
)

//go:embed pages/unsubscribe.html
var unsubscribeSource string

type unsubscribeView struct {
	Style   template.CSS
	Path    string
	Found   bool
	Member  bool
	Answers bool
	Done    bool // it has ended
	Back    bool // it goes on again
	Project string
}

// showUnsubscribe asks. It ends nothing by itself: what looks into mails for
// people opens every link.
func (s *Server) showUnsubscribe(c *fiber.Ctx) error {
	view, _, err := s.unsubscribeView(c)
	if err != nil {
		return err
	}
	return s.sendUnsubscribe(c, view)
}

// unsubscribe acts, whether it is the page's form or a mail program that sends it
// (RFC 8058). The address is a secret of whoever has the mail, and all that is asked.
func (s *Server) unsubscribe(c *fiber.Ctx) error {
	view, from, err := s.unsubscribeView(c)
	if err != nil {
		return err
	}
	if !view.Found {
		return s.sendUnsubscribe(c, view)
	}
	form, _ := url.ParseQuery(string(c.Body())) // what cannot be read says nothing
	back := form.Get("again") == "yes" && from.Kind != models.MailNews
	if err := s.store.Unsubscribe(c.UserContext(), from, back); err != nil {
		return err
	}
	view.Done, view.Back = !back, back
	return s.sendUnsubscribe(c, view)
}

func (s *Server) unsubscribeView(c *fiber.Ctx) (view unsubscribeView, from models.Unsubscription, err error) {
	from, view.Found = s.mailLinks.ReadUnsubscribe(c.Params("token"))
	if !view.Found {
		return view, from, nil
	}
	view.Path = "/u/" + url.PathEscape(c.Params("token"))
	view.Member, view.Answers = from.Kind != models.MailReply, from.Kind == models.MailAnswer
	if from.ProjectID == "" {
		return view, from, nil
	}
	view.Project, err = s.store.ProjectName(c.UserContext(), from.ProjectID)
	if models.CodeOf(err) == models.CodeNotFound { // and so no mail comes of it
		view.Found, err = false, nil
	}
	return view, from, err
}

func (s *Server) sendUnsubscribe(c *fiber.Ctx, view unsubscribeView) error {
	view.Style = template.CSS(pageStyle) //nolint:gosec // our own file
	var page bytes.Buffer
	if err := s.pages.unsubscribe.Execute(&page, view); err != nil {
		return fmt.Errorf("write unsubscribe page: %w", err)
	}
	pageHeaders(c, s.pages.policy, "no-referrer")
	c.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	status := fiber.StatusOK
	if !view.Found {
		status = fiber.StatusNotFound
	}
	return c.Status(status).Send(page.Bytes())
}
