package api

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// Feedback is one item of an inbox.
type Feedback struct {
	ID                models.ID        `json:"id"`
	ProjectID         models.ID        `json:"project_id"`
	Message           string           `json:"message"`
	PageURL           string           `json:"page_url" doc:"As the visitor's page said: show it, do not trust it"`
	Kind              *models.Kind     `json:"kind" nullable:"true"`
	Rating            *int             `json:"rating" nullable:"true" minimum:"1" maximum:"5"`
	Email             *string          `json:"email" nullable:"true"`
	Name              *string          `json:"name" nullable:"true"`
	Context           object           `json:"context"`
	Status            models.Status    `json:"status"`
	AssigneeID        *models.ID       `json:"assignee_id" nullable:"true"`
	Tags              []string         `json:"tags" nullable:"false"`
	Priority          models.Priority  `json:"priority"`
	Rev               int64            `json:"rev" doc:"Counts changes; name it when you change the item"`
	Unread            bool             `json:"unread" doc:"The visitor said something that the asking member has not read"`
	Quarantined       bool             `json:"quarantined"`
	QuarantineReasons []string         `json:"quarantine_reasons" nullable:"false"`
	Attachments       []Attachment     `json:"attachments" nullable:"false" doc:"The visitor's files"`
	CreatedAt         time.Time        `json:"created_at"`
	UpdatedAt         time.Time        `json:"updated_at"`
	Visitor           protocol.Visitor `json:"visitor"`
}

// object is a JSON object of somebody else's making, or null.
type object json.RawMessage

// Schema implements huma.SchemaProvider.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: true}
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) { return json.RawMessage(o).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (o *object) UnmarshalJSON(raw []byte) error {
	*o = nil
	if !bytes.Equal(raw, []byte("null")) {
		*o = bytes.Clone(raw)
	}
	return nil
}

// readableFor is what an asker may see of an item that they changed, or tried to: all
// of it, but for a program whose key does not admit to reading.
func readableFor(claims models.Claims, f *models.Feedback) *models.Feedback {
	if claims.Has(models.ScopeFeedbackRead) {
		return f
	}
	return f.Outline()
}

func (s *Server) feedbackBody(f *models.Feedback) Feedback {
	return Feedback{
		ID: f.ID, ProjectID: f.ProjectID, Message: f.Message, PageURL: f.PageURL,
		Kind: protocol.OrNull(f.Kind), Rating: protocol.OrNull(f.Rating), Email: protocol.OrNull(f.Email), Name: protocol.OrNull(f.Name), Context: object(f.Context),
		Status: f.Status, AssigneeID: protocol.OrNull(f.AssigneeID), Tags: append([]string{}, f.Tags...), Priority: f.Priority, Rev: f.Rev,
		Quarantined: f.Quarantined, QuarantineReasons: append([]string{}, f.QuarantineReasons...), Attachments: s.attachmentBodies(f.Files),
		CreatedAt: f.CreatedAt.UTC(), UpdatedAt: f.UpdatedAt.UTC(), Visitor: protocol.VisitorOf(f),
	}
}

// FeedbackList is a page of feedback.
type FeedbackList struct {
	Items      []Feedback `json:"items" nullable:"false"`
	NextCursor *string    `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64     `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string     `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

type feedbackOutput struct{ Body Feedback }

// FeedbackPath names an item in a call's address.
type FeedbackPath struct {
	ID string `path:"id" doc:"The feedback's id"`
}

type listFeedbackInput struct {
	ProjectPath
	PageQuery
	Status        []models.Status   `query:"status" doc:"Several with commas between"`
	Kind          []models.Kind     `query:"kind" doc:"Several with commas between"`
	Priority      []models.Priority `query:"priority" doc:"Several with commas between"`
	Tag           string            `query:"tag"`
	Assignee      string            `query:"assignee" doc:"A member's id, me, or none"`
	Rating        []int             `query:"rating" minimum:"1" maximum:"5" doc:"Several with commas between"`
	Query         string            `query:"q" maxLength:"500" doc:"Words to find. The newest 10,000 hits are looked through"`
	From          time.Time         `query:"from" doc:"Inclusive"`
	To            time.Time         `query:"to" doc:"Exclusive"`
	PageURL       string            `query:"page_url"`
	HasAttachment string            `query:"has_attachment" enum:"true,false"`
	Quarantined   bool              `query:"quarantined" doc:"The suspected items, which the list otherwise leaves out"`
	Unread        bool              `query:"unread" doc:"What the asking member has not read, of the newest 5,000 items and of as many in which a visitor answered last"`
	Sort          string            `query:"sort" enum:"created_at,-created_at,updated_at,-updated_at,priority,-priority,rating,-rating,relevance" default:"-created_at" doc:"relevance is of a search: its newest 1,000 hits, the best ones first"`
}

func (in *listFeedbackInput) filter(claims models.Claims) (store.Filter, error) {
	var attached *bool
	if in.HasAttachment != "" {
		has := in.HasAttachment == "true"
		attached = &has
	}
	asked := models.FeedbackFilter{
		Status: in.Status, Kind: in.Kind, Priority: in.Priority, Rating: in.Rating, Tag: in.Tag, Assignee: in.Assignee, Query: in.Query,
		PageURL: in.PageURL, HasAttachment: attached, Quarantined: &in.Quarantined, Unread: &in.Unread, From: orNil(in.From), To: orNil(in.To),
	}
	filter := store.FilterOf(asked, claims.UserID)
	filter.Sort = in.Sort
	return filter, asked.Check("")
}

func orNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

type listFeedbackOutput struct{ Body FeedbackList }

func (s *Server) listFeedback(ctx context.Context, in *listFeedbackInput) (*listFeedbackOutput, error) {
	claims := askerOf(ctx).claims
	filter, err := in.filter(claims)
	if err != nil {
		return nil, err
	}
	list, err := s.store.FeedbackList(ctx, claims.Scope, models.ID(in.ID), filter, in.page())
	if err != nil {
		return nil, err
	}
	body := FeedbackList{Items: []Feedback{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	if err := s.store.FillFiles(ctx, list.Items...); err != nil {
		return nil, err
	}
	unread, err := s.store.Unread(ctx, claims.Scope, claims.UserID, list.Items...)
	if err != nil {
		return nil, err
	}
	for _, item := range list.Items {
		shown := s.feedbackBody(item)
		shown.Unread = unread[item.ID]
		body.Items = append(body.Items, shown)
	}
	return &listFeedbackOutput{Body: body}, nil
}

func (s *Server) getFeedback(ctx context.Context, in *FeedbackPath) (*feedbackOutput, error) {
	item, err := s.store.Feedback(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return s.feedbackAnswer(ctx, item)
}

// feedbackAnswer is an item for the member who asks.
func (s *Server) feedbackAnswer(ctx context.Context, item *models.Feedback) (*feedbackOutput, error) {
	claims := askerOf(ctx).claims
	item = readableFor(claims, item)
	if err := s.store.FillFiles(ctx, item); err != nil {
		return nil, err
	}
	unread, err := s.store.Unread(ctx, claims.Scope, claims.UserID, item)
	if err != nil {
		return nil, err
	}
	shown := s.feedbackBody(item)
	shown.Unread = unread[item.ID]
	return &feedbackOutput{Body: shown}, nil
}

func (s *Server) markRead(ctx context.Context, in *FeedbackPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	return nil, s.store.MarkRead(ctx, claims.Scope, claims.UserID, models.ID(in.ID), true)
}

func (s *Server) markUnread(ctx context.Context, in *FeedbackPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	return nil, s.store.MarkRead(ctx, claims.Scope, claims.UserID, models.ID(in.ID), false)
}

// FeedbackPatch changes the fields it names.
type FeedbackPatch struct {
	Status     *models.Status   `json:"status,omitempty"`
	AssigneeID assignee         `json:"assignee_id,omitempty"`
	Tags       *[]string        `json:"tags,omitempty" nullable:"false" maxItems:"20"`
	Priority   *models.Priority `json:"priority,omitempty"`
	// Quarantined is changed by a person who has looked.
	Quarantined *bool `json:"quarantined,omitempty" doc:"false releases a suspected item: it is new in the inbox; true holds one back"`
	Rev         int64 `json:"rev" doc:"The revision that the change is based on"`
}

// assignee is a member's id, null for nobody, or not there.
type assignee struct {
	sent bool
	id   models.ID
}

// Schema implements huma.SchemaProvider.
func (assignee) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid", Nullable: true, Description: "A member's id; null for nobody"}
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *assignee) UnmarshalJSON(raw []byte) error {
	a.sent = true
	return json.Unmarshal(raw, &a.id) // null leaves it empty
}

type updateFeedbackInput struct {
	FeedbackPath
	Body FeedbackPatch
}

func (s *Server) updateFeedback(ctx context.Context, in *updateFeedbackInput) (*feedbackOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	change := models.Triage{Status: in.Body.Status, Tags: in.Body.Tags, Priority: in.Body.Priority, Quarantined: in.Body.Quarantined, Rev: in.Body.Rev}
	if in.Body.AssigneeID.sent {
		change.AssigneeID = &in.Body.AssigneeID.id
	}
	if err := change.Check(); err != nil {
		return nil, err
	}
	by, err := s.actor(ctx, claims)
	if err != nil {
		return nil, err
	}
	item, err := s.store.Triage(ctx, claims.Scope, models.ID(in.ID), change, by)
	if err != nil {
		return nil, err
	}
	return s.feedbackAnswer(ctx, item)
}

func (s *Server) revokeReceipt(ctx context.Context, in *FeedbackPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	item, err := s.store.Feedback(ctx, claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	_, err = s.store.RevokeReceipt(ctx, claims.Scope, item.ID, item.ReceiptVersion)
	return nil, err
}

func (s *Server) eraseFeedback(ctx context.Context, in *FeedbackPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanErase() {
		return nil, errRole()
	}
	return nil, s.store.Erase(ctx, claims.Scope, models.ID(in.ID))
}
