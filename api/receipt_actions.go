package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/store"
)

// What a visitor can do by way of their receipt. Its address is a secret, and so
// all that is asked of whoever acts: no account, no cookie. Programs send JSON;
// the page's own forms work without a script.

// ReceiptMessage is what a visitor says by way of their receipt.
type ReceiptMessage struct {
	ID   *models.ID `json:"id,omitempty" doc:"Makes the call repeatable; made here if absent"`
	Body string     `json:"body" doc:"1 to 5,000 code points after trimming"`
}

// Posted acknowledges a message: it is on disk.
type Posted struct {
	ID models.ID `json:"id"`
}

func (s *Server) postReceiptMessage(c *fiber.Ctx) error {
	item, project, err := s.receiptItem(c)
	if err != nil {
		return err
	}
	in, form, err := s.decodeReceiptMessage(c)
	if err != nil {
		return err
	}
	message := models.NewMessage{ID: models.NewID(), FeedbackID: item.ID, Body: in.Body}
	set(&message.ID, in.ID)
	posted, err := s.intake.Message(c.UserContext(), intake.MessageRequest{
		Project: project, Session: item.SessionID, Address: s.address(c), Message: message,
	})
	if form && errors.As(err, new(*models.Error)) {
		return s.showRefusal(c, item, project, in.Body, err)
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if form {
		return c.Redirect(receiptPath(c)+"#reply", fiber.StatusSeeOther)
	}
	status := fiber.StatusCreated
	if posted.Repeated {
		status = fiber.StatusOK
	}
	return c.Status(status).JSON(Posted{ID: posted.Message.ID})
}

// showRefusal shows the page again, with what was written and why it was not taken.
func (s *Server) showRefusal(c *fiber.Ctx, item *models.Feedback, project *models.Project, body string, refusal error) error {
	view, err := s.receiptView(c, item, project)
	if err != nil {
		return err
	}
	view.Body, view.Refused = body, "That did not work. Try again in a while."
	if models.CodeOf(refusal) == models.CodeInvalidField {
		view.Refused = "A message has 1 to 5,000 characters."
	}
	return s.sendReceipt(c, fiber.StatusUnprocessableEntity, view)
}

func (s *Server) decodeReceiptMessage(c *fiber.Ctx) (in ReceiptMessage, form bool, err error) {
	if !isMedia(c.Get(fiber.HeaderContentType), fiber.MIMEApplicationForm) {
		in, err = decodeVisitor(c, s.receiptMessages)
		return in, false, err
	}
	values, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return in, true, models.Errorf(models.CodeBadRequest, "this is not a valid form")
	}
	// Each showing of the form has an id of its own, so that sent twice it is one message.
	if id := models.ID(values.Get("id")); id.Valid() {
		in.ID = &id
	}
	in.Body = values.Get("body")
	return in, true, nil
}

func receiptPath(c *fiber.Ctx) string { return "/r/" + url.PathEscape(c.Params("receipt")) }

// exportReceipt gives a visitor everything that is kept of their item and that
// they may see.
func (s *Server) exportReceipt(c *fiber.Ctx) error {
	item, _, err := s.receiptItem(c)
	if err != nil {
		return err
	}
	messages, err := s.store.PublicMessages(c.UserContext(), item.ID)
	if err != nil {
		return err
	}
	if err := s.store.FillFiles(c.UserContext(), item); err != nil {
		return err
	}
	conversation := s.conversationBody(store.Conversation{Feedback: item, Messages: messages})
	body, err := json.MarshalIndent(ReceiptExport{
		Conversation: conversation, Email: item.Email, Name: item.Name, Context: object(item.Context), SessionID: item.SessionID,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode export: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="feedback-`+string(item.ID)+`.json"`)
	c.Set(fiber.HeaderContentType, jsonType)
	return c.Send(body)
}

// ReceiptExport is a visitor's copy of their item.
type ReceiptExport struct {
	Conversation
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Context   object    `json:"context"`
	SessionID models.ID `json:"session_id"`
}

// byVisitor is the request's context for what is recorded of visitors: that one of
// them did it, and nothing of who.
func byVisitor(c *fiber.Ctx) context.Context {
	return models.WithBy(c.UserContext(), models.By{Kind: models.ActorVisitor})
}

// eraseReceipt erases the item for good, and its receipt with it.
func (s *Server) eraseReceipt(c *fiber.Ctx) error {
	item, project, err := s.receiptItem(c)
	if err != nil {
		return err
	}
	if err := s.store.Erase(byVisitor(c), models.ScopeOf(project.OrganizationID), item.ID); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !asksForHTML(c) {
		return c.SendStatus(fiber.StatusNoContent)
	}
	return s.sendReceipt(c, fiber.StatusOK, receiptView{Erased: true, Project: project.Name})
}

// renewReceipt gives the visitor a new address; the old one, whoever has it, leads
// nowhere from then on.
func (s *Server) renewReceipt(c *fiber.Ctx) error {
	item, project, err := s.receiptItem(c)
	if err != nil {
		return err
	}
	version, err := s.store.RevokeReceipt(byVisitor(c), models.ScopeOf(project.OrganizationID), item.ID, item.ReceiptVersion)
	if err != nil {
		return err
	}
	address := s.intake.ReceiptURL(item.ID, version)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !asksForHTML(c) {
		return c.JSON(RenewedReceipt{ReceiptURL: address})
	}
	return c.Redirect(strings.TrimPrefix(address, s.config.BaseURL)+"?renewed", fiber.StatusSeeOther)
}

// RenewedReceipt is a receipt's new address.
type RenewedReceipt struct {
	ReceiptURL string `json:"receipt_url"`
}
