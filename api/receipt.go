package api

import (
	"bytes"
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

// pages are the server's own pages for visitors: no script, one style sheet that
// the policy knows by its hash.
type pages struct {
	receipt *template.Template
	policy  string
}

func newPages() (pages, error) {
	receipt, err := template.New("receipt").Parse(receiptSource)
	if err != nil {
		return pages{}, fmt.Errorf("parse receipt page: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	return pages{
		receipt: receipt,
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}

type receiptView struct {
	Style          template.CSS
	Found          bool
	Project        string
	Message        string
	Status         string
	Created        time.Time
	Updated        time.Time
	CreatedMachine string
	UpdatedMachine string
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
	if models.CodeOf(err) == models.CodeNotFound && !asksForHTML(c) {
		return err
	}
	if err != nil && models.CodeOf(err) != models.CodeNotFound {
		return err
	}
	view := receiptView{Style: template.CSS(pageStyle)} //nolint:gosec // our own file
	status := fiber.StatusNotFound
	if err == nil {
		status = fiber.StatusOK
		view.Found, view.Project, view.Message, view.Status = true, project.Name, item.Message, statusText(item.Status)
		view.Created, view.Updated = item.CreatedAt.UTC(), item.UpdatedAt.UTC()
		view.CreatedMachine, view.UpdatedMachine = view.Created.Format(time.RFC3339), view.Updated.Format(time.RFC3339)
	}
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
