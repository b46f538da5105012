package api

import (
	"context"
	"encoding/json"
	"errors"

	"earshot/models"
	"earshot/realtime/protocol"
)

// TagList is the tags of a project.
type TagList struct {
	Items []string `json:"items" nullable:"false" doc:"In order, no more than 500"`
}

type listTagsOutput struct{ Body TagList }

func (s *Server) listTags(ctx context.Context, in *ProjectPath) (*listTagsOutput, error) {
	tags, err := s.store.Tags(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID))
	return &listTagsOutput{Body: TagList{Items: tags}}, err
}

// BulkChanges are the fields of one item that are to change.
type BulkChanges struct {
	Status     *models.Status   `json:"status,omitempty"`
	AssigneeID assignee         `json:"assignee_id,omitzero"`
	Tags       *[]string        `json:"tags,omitempty" nullable:"false" maxItems:"20" doc:"All that the item has afterwards"`
	AddTags    []string         `json:"add_tags,omitempty" nullable:"false" maxItems:"20"`
	RemoveTags []string         `json:"remove_tags,omitempty" nullable:"false" maxItems:"20"`
	Priority   *models.Priority `json:"priority,omitempty"`
	// Quarantined is as in a patch.
	Quarantined *bool `json:"quarantined,omitempty" doc:"false releases a suspected item, true holds one back"`
}

func (c BulkChanges) triage() models.Triage {
	change := models.Triage{Status: c.Status, Tags: c.Tags, AddTags: c.AddTags, RemoveTags: c.RemoveTags, Priority: c.Priority, Quarantined: c.Quarantined}
	if c.AssigneeID.sent {
		change.AssigneeID = &c.AssigneeID.id
	}
	return change
}

func bulkChanges(change models.Triage) *BulkChanges {
	if !change.Any() {
		return nil
	}
	c := &BulkChanges{Status: change.Status, Tags: change.Tags, Priority: change.Priority, Quarantined: change.Quarantined}
	if change.AssigneeID != nil {
		c.AssigneeID = assignee{sent: true, id: *change.AssigneeID}
	}
	return c
}

// IsZero is for omitzero.
func (a assignee) IsZero() bool { return !a.sent }

// MarshalJSON implements json.Marshaler.
func (a assignee) MarshalJSON() ([]byte, error) { return json.Marshal(protocol.OrNull(a.id)) }

// BulkItem is what is asked of one item.
type BulkItem struct {
	ID      models.ID   `json:"id"`
	Rev     int64       `json:"rev,omitempty" minimum:"1" doc:"The revision that the change is based on; without it, whatever the item is by now"`
	Changes BulkChanges `json:"changes"`
}

// Bulk asks for changes of several items of a project. Each stands alone.
type Bulk struct {
	Items []BulkItem `json:"items" nullable:"false" minItems:"1" maxItems:"200"`
}

// BulkResult is what became of one item.
type BulkResult struct {
	ID      models.ID    `json:"id"`
	Outcome string       `json:"outcome" enum:"changed,unchanged,refused"`
	Code    models.Code  `json:"code,omitempty" doc:"Why it was refused"`
	Message string       `json:"message,omitempty" doc:"The same in words"`
	Item    *Feedback    `json:"item,omitempty" doc:"As it is now; unread is not told"`
	Before  *BulkChanges `json:"before,omitempty" doc:"What was changed, as it was: with the item's rev, the way back"`
}

// BulkAnswer has a result for each item, in the order of the call.
type BulkAnswer struct {
	Items []BulkResult `json:"items" nullable:"false"`
}

type bulkInput struct {
	ProjectPath
	Body Bulk
}

type bulkOutput struct{ Body BulkAnswer }

func (s *Server) changeSeveral(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	results := make([]BulkResult, len(in.Body.Items))
	var changes []models.BulkChange
	var places []int // of the changes in the call
	for i, item := range in.Body.Items {
		change := models.BulkChange{ID: item.ID, Change: item.Changes.triage()}
		if err := change.Check(); err != nil {
			results[i] = bulkRefused(item.ID, err)
			continue
		}
		change.Change.Rev = item.Rev
		changes, places = append(changes, change), append(places, i)
	}
	by, err := s.actor(ctx, claims)
	if err != nil {
		return nil, err
	}
	outcomes, err := s.store.TriageAll(ctx, claims.Scope, models.ID(in.ID), changes, by)
	if err != nil {
		return nil, err
	}
	items := make([]*models.Feedback, len(outcomes))
	for i, outcome := range outcomes {
		if outcome.Item != nil {
			outcomes[i].Item = readableFor(claims, outcome.Item)
		}
		items[i] = outcomes[i].Item
	}
	if err := s.store.FillFiles(ctx, items...); err != nil {
		return nil, err
	}
	for i, outcome := range outcomes {
		results[places[i]] = s.bulkResult(outcome)
	}
	return &bulkOutput{Body: BulkAnswer{Items: results}}, nil
}

func (s *Server) bulkResult(outcome models.BulkOutcome) BulkResult {
	if outcome.Err != nil {
		result := bulkRefused(outcome.ID, outcome.Err)
		if outcome.Item != nil {
			item := s.feedbackBody(outcome.Item)
			result.Item = &item
		}
		return result
	}
	item := s.feedbackBody(outcome.Item)
	result := BulkResult{ID: outcome.ID, Outcome: "unchanged", Item: &item, Before: bulkChanges(outcome.Before)}
	if result.Before != nil {
		result.Outcome = "changed"
	}
	return result
}

func bulkRefused(id models.ID, err error) BulkResult {
	result := BulkResult{ID: id, Outcome: "refused", Code: models.CodeOf(err)}
	var readable *models.Error
	if errors.As(err, &readable) {
		result.Message = readable.Message
		if len(readable.Fields) > 0 {
			result.Message = readable.Fields[0].Path + " " + readable.Fields[0].Message
		}
	}
	return result
}

// ReadMarks marks several items of a project.
type ReadMarks struct {
	IDs  []models.ID `json:"ids" nullable:"false" minItems:"1" maxItems:"200"`
	Read bool        `json:"read" doc:"false: they are unread to you again"`
}

type markAllInput struct {
	ProjectPath
	Body ReadMarks
}

func (s *Server) markAllRead(ctx context.Context, in *markAllInput) (*struct{}, error) {
	claims := askerOf(ctx).claims
	return nil, s.store.MarkAllRead(ctx, claims.Scope, claims.UserID, models.ID(in.ID), in.Body.IDs, in.Body.Read)
}
