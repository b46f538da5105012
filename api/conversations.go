package api

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// Conversation is an item as its visitor sees it. What staff note among themselves
// is not in it, nor who they are beside their names.
type Conversation struct {
	ID         models.ID     `json:"id"`
	Message    string        `json:"message"`
	PageURL    string        `json:"page_url"`
	Kind       *models.Kind  `json:"kind" nullable:"true"`
	Rating     *int          `json:"rating" nullable:"true" minimum:"1" maximum:"5"`
	Status     models.Status `json:"status"`
	CreatedAt  time.Time     `json:"created_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
	ReceiptURL string        `json:"receipt_url"`
	// Files are the visitor's own.
	Attachments []Attachment          `json:"attachments" nullable:"false" doc:"The visitor's files"`
	Messages    []ConversationMessage `json:"messages" nullable:"false" doc:"Oldest first; the newest 200"`
}

// ConversationMessage is one message of it.
type ConversationMessage struct {
	ID         models.ID `json:"id"`
	Author     string    `json:"author" enum:"visitor,staff"`
	AuthorName string    `json:"author_name"`
	Body       string    `json:"body"`
	At         time.Time `json:"at"`
}

// ConversationList is a page of them, newest first.
type ConversationList struct {
	Items      []Conversation `json:"items" nullable:"false"`
	NextCursor *string        `json:"next_cursor" nullable:"true" doc:"null on the last page"`
}

func (s *Server) conversationBody(c store.Conversation) Conversation {
	f := c.Feedback
	body := Conversation{
		ID: f.ID, Message: f.Message, PageURL: f.PageURL, Kind: protocol.OrNull(f.Kind), Rating: protocol.OrNull(f.Rating), Status: f.Status,
		CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt, ReceiptURL: s.intake.ReceiptURL(f.ID, f.ReceiptVersion), Messages: []ConversationMessage{}, Attachments: s.attachmentBodies(f.Files),
	}
	for _, m := range c.Messages {
		author := "staff"
		if m.Author.Kind == models.AuthorVisitor {
			author = "visitor"
		}
		body.Messages = append(body.Messages, ConversationMessage{ID: m.ID, Author: author, AuthorName: m.Author.PublicName(), Body: m.Body, At: m.CreatedAt})
	}
	return body
}

// listConversations answers a visitor with their own items, however old.
func (s *Server) listConversations(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	if err := s.polls.Take(c.UserContext(), intake.AddressKey(s.address(c))); err != nil {
		return err
	}
	session, err := s.visitorSession(c, project)
	if err != nil {
		return err
	}
	page := store.Page{Limit: defaultPage, Cursor: c.Query("cursor")}
	if asked := c.Query("limit"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 1 {
			return models.Errorf(models.CodeBadRequest, "limit must be a whole number from 1")
		}
		page.Limit = min(n, store.MaxLimit)
	}
	upTo := s.now().Add(-noticedMargin)
	list, err := s.store.Conversations(c.UserContext(), project, session, page)
	if err != nil {
		return err
	}
	body := ConversationList{Items: []Conversation{}, NextCursor: cursorOrNull(list.NextCursor)}
	for _, item := range list.Items {
		body.Items = append(body.Items, s.conversationBody(item))
	}
	s.hub.Noticed(session, upTo)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(body)
}

// defaultPage is how long a page is where nothing was asked for.
const defaultPage = 50
