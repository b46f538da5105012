package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
)

//go:embed pages/receipt.html
var receiptSource string

//go:embed pages/page.css
var pageStyle string

//go:embed pages/receipt.js
var receiptScript []byte

// pages are the server's own pages for visitors: one small script, without which
// they work as well, and one style sheet that the policy knows by its hash.
type pages struct {
	receipt, unsubscribe *template.Template
	policy               string
}

func newPages() (pages, error) {
	receipt, err := template.New("receipt").Parse(receiptSource)
	if err != nil {
		return pages{}, fmt.Errorf("parse receipt page: %w", err)
	}
	unsubscribe, err := template.New("unsubscribe").Parse(unsubscribeSource)
	if err != nil {
		return pages{}, fmt.Errorf("parse unsubscribe page: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	return pages{
		receipt: receipt, unsubscribe: unsubscribe,
		policy: "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	}, nil
}

type receiptView struct {
	Style          template.CSS
	Path           string
	Found          bool
	Erasing        bool // asks before it erases
	Renewing       bool // asks before the address changes
	Renewed        bool
	Erased         bool
	Project        string
	Message        string
	Status         string
	StatusClass    string
	Created        time.Time
	CreatedMachine string
	Files          []receiptFileView
	Messages       []receiptMessageView
	NextID         models.ID // of the message that the form will send
	Refused, Body  string    // why the last one was not taken, and what it said
}

// receiptFileView is a file that the visitor sent.
type receiptFileView struct{ Name, URL string }

type receiptMessageView struct {
	Side, Name, Body, Machine string
	At                        time.Time
}

// statusText is a status in a visitor's words.
func statusText(status models.Status) string {
	switch status {
	case models.StatusNew:
		return "Received"
	case models.StatusOpen:
		return "Being looked at"
	case models.StatusInProgress:
		return "In progress"
	case models.StatusResolved:
		return "Resolved"
	case models.StatusClosed:
		return "Closed"
	}
	return ""
}

// showReceipt is the visitor's private page. Whoever has the address may see it,
// so the address goes nowhere: no Referer, no index, no cache, no log.
func (s *Server) showReceipt(c *fiber.Ctx) error {
	item, project, err := s.receiptItem(c)
	if models.CodeOf(err) == models.CodeNotFound && asksForHTML(c) {
		return s.sendReceipt(c, fiber.StatusNotFound, receiptView{})
	}
	if err != nil {
		return err
	}
	s.hub.Noticed(item.ID, s.now().Add(-noticedMargin))
	view, err := s.receiptView(c, item, project)
	if err != nil {
		return err
	}
	asked := c.Context().QueryArgs()
	view.Erasing, view.Renewing, view.Renewed = asked.Has("erase"), asked.Has("renew"), asked.Has("renewed")
	return s.sendReceipt(c, fiber.StatusOK, view)
}

func (s *Server) receiptView(c *fiber.Ctx, item *models.Feedback, project *models.Project) (receiptView, error) {
	messages, err := s.store.PublicMessages(c.UserContext(), item.ID)
	if err != nil {
		return receiptView{}, err
	}
	view := receiptView{
		Path: receiptPath(c), Found: true, Project: project.Name, Message: item.Message,
		Status: statusText(item.Status), Created: item.CreatedAt.UTC(), CreatedMachine: item.CreatedAt.UTC().Format(time.RFC3339), NextID: models.NewID(),
	}
	if err := s.store.FillFiles(c.UserContext(), item); err != nil {
		return receiptView{}, err
	}
	for _, file := range item.Files {
		view.Files = append(view.Files, receiptFileView{file.Name, s.attachmentURL(file.ID)})
	}
	if item.Status == models.StatusResolved || item.Status == models.StatusClosed {
		view.StatusClass = "done"
	}
	for _, m := range messages {
		view.Messages = append(view.Messages, messageView(m))
	}
	return view, nil
}

func messageView(m models.Message) receiptMessageView {
	at := m.CreatedAt.UTC()
	if m.Author.Kind == models.AuthorVisitor {
		return receiptMessageView{Side: "visitor", Body: m.Body, At: at, Machine: at.Format(time.RFC3339)}
	}
	name := cmp.Or(m.Author.PublicName(), "Support")
	return receiptMessageView{Side: "staff", Name: name, Body: m.Body, At: at, Machine: at.Format(time.RFC3339)}
}

func (s *Server) sendReceipt(c *fiber.Ctx, status int, view receiptView) error {
	view.Style = template.CSS(pageStyle) //nolint:gosec // our own file
	var page bytes.Buffer
	if err := s.pages.receipt.Execute(&page, view); err != nil {
		return fmt.Errorf("write receipt page: %w", err)
	}
	pageHeaders(c, s.pages.policy, "no-referrer")
	c.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(page.Bytes())
}

// receiptScript is the same for everybody and tells nothing.
func (s *Server) receiptScript(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	return s.documents.receiptScript().send(c, scriptType)
}

// receiptItem finds what a receipt is for. A forged one and one of an erased item
// look alike.
func (s *Server) receiptItem(c *fiber.Ctx) (*models.Feedback, *models.Project, error) {
	notFound := models.Errorf(models.CodeNotFound, "there is no such receipt")
	token := c.Params("receipt")
	id, ok := intake.ReceiptID(token)
	if !ok {
		return nil, nil, notFound
	}
	item, project, err := s.store.FeedbackByReceipt(c.UserContext(), id)
	if err != nil {
		return nil, nil, err
	}
	if !s.intake.VerifyReceipt(token, id, item.ReceiptVersion) {
		return nil, nil, notFound
	}
	return item, project, nil
}
