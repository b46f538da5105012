package api

import (
	"context"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// Message is one message of an item's conversation, or a note.
type Message struct {
	ID         models.ID         `json:"id"`
	FeedbackID models.ID         `json:"feedback_id"`
	Author     models.Author     `json:"author"`
	Visibility models.Visibility `json:"visibility" doc:"internal: a note, which no visitor sees"`
	Body       string            `json:"body"`
	Rev        int64             `json:"rev" doc:"Counts edits; name it when you change a note"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

func messageBody(m models.Message) Message {
	return Message{
		ID: m.ID, FeedbackID: m.FeedbackID, Author: m.Author, Visibility: m.Visibility, Body: m.Body, Rev: m.Rev,
		CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}

// MessageList is a page of a conversation.
type MessageList struct {
	Items      []Message `json:"items" nullable:"false"`
	NextCursor *string   `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64    `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string    `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

type listMessagesInput struct {
	FeedbackPath
	PageQuery
	Sort string `query:"sort" enum:"created_at,-created_at" default:"created_at" doc:"- before it descends"`
}

type listMessagesOutput struct{ Body MessageList }

func (s *Server) listMessages(ctx context.Context, in *listMessagesInput) (*listMessagesOutput, error) {
	list, err := s.store.Messages(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID), in.page(), in.Sort)
	if err != nil {
		return nil, err
	}
	body := MessageList{Items: []Message{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, message := range list.Items {
		body.Items = append(body.Items, messageBody(message))
	}
	return &listMessagesOutput{Body: body}, nil
}

// NewMessage is a reply or a note on its way in.
type NewMessage struct {
	ID         *models.ID        `json:"id,omitempty" doc:"Makes the call repeatable; made here if absent"`
	Body       string            `json:"body" doc:"1 to 5,000 code points after trimming"`
	Visibility models.Visibility `json:"visibility" doc:"public: the visitor gets it; internal: a note"`
}

type postMessageInput struct {
	FeedbackPath
	Body NewMessage
}

type messageOutput struct {
	Status int
	Body   Message
}

func (s *Server) postMessage(ctx context.Context, in *postMessageInput) (*messageOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	by, err := s.actor(ctx, claims)
	if err != nil {
		return nil, err
	}
	message := models.NewMessage{
		ID: models.NewID(), FeedbackID: models.ID(in.ID), Visibility: in.Body.Visibility, Body: in.Body.Body,
		Author: models.Author{Kind: models.AuthorMember, UserID: by.UserID, Name: by.Name},
	}
	set(&message.ID, in.Body.ID)
	if err := message.Normalize(); err != nil {
		return nil, err
	}
	posted, err := s.store.PostMessage(ctx, claims.Scope, message)
	if err != nil {
		return nil, err
	}
	status := 201
	if posted.Repeated {
		status = 200
	}
	return &messageOutput{Status: status, Body: messageBody(posted.Message)}, nil
}

// NotePath names a note in a call's address.
type NotePath struct {
	FeedbackPath
	MessageID string `path:"message" doc:"The note's id"`
}

// NotePatch is a note's new text.
type NotePatch struct {
	Body string `json:"body" doc:"1 to 5,000 code points after trimming"`
	Rev  int64  `json:"rev" minimum:"1" doc:"The revision that the change is based on"`
}

type editNoteInput struct {
	NotePath
	Body NotePatch
}

func (s *Server) editNote(ctx context.Context, in *editNoteInput) (*messageOutput, error) {
	body := models.NormalizeBody(in.Body.Body)
	if err := models.CheckBody(body); err != nil {
		return nil, err
	}
	changed, err := s.changeNote(ctx, in.NotePath, store.NoteChange{Rev: in.Body.Rev, Body: body})
	if err != nil {
		return nil, err
	}
	return &messageOutput{Status: 200, Body: messageBody(changed)}, nil
}

type deleteNoteInput struct {
	NotePath
	Rev int64 `query:"rev" required:"true" minimum:"1" doc:"The revision that was read"`
}

func (s *Server) deleteNote(ctx context.Context, in *deleteNoteInput) (*struct{}, error) {
	_, err := s.changeNote(ctx, in.NotePath, store.NoteChange{Rev: in.Rev})
	return nil, err
}

// changeNote changes a member's own note; who manages may also delete another's.
func (s *Server) changeNote(ctx context.Context, path NotePath, change store.NoteChange) (models.Message, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return models.Message{}, errRole()
	}
	change.FeedbackID, change.MessageID, change.By = models.ID(path.ID), models.ID(path.MessageID), claims.UserID
	change.AnyAuthor = change.Body == "" && claims.CanManage()
	return s.store.ChangeNote(ctx, claims.Scope, change)
}
