package api

import (
	"context"
	"time"

	"earshot/models"
)

// CannedReply is an answer that staff give again and again.
type CannedReply struct {
	ID        models.ID `json:"id"`
	ProjectID models.ID `json:"project_id"`
	Name      string    `json:"name"`
	Body      string    `json:"body" doc:"With placeholders: {{visitor.name}}, {{visitor.email}}, {{page}}, {{member.name}}; {{visitor.name|there}} says what stands there where nothing is known"`
	Rev       int64     `json:"rev"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func cannedBody(r models.CannedReply) CannedReply {
	return CannedReply{ID: r.ID, ProjectID: r.ProjectID, Name: r.Name, Body: r.Body, Rev: r.Rev, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
}

// CannedReplyList is a page of canned replies, oldest first.
type CannedReplyList struct {
	Items      []CannedReply `json:"items" nullable:"false"`
	NextCursor *string       `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64        `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string        `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

type listCannedInput struct {
	ProjectPath
	PageQuery
}

type listCannedOutput struct{ Body CannedReplyList }

func (s *Server) listCannedReplies(ctx context.Context, in *listCannedInput) (*listCannedOutput, error) {
	list, err := s.store.CannedReplies(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID), in.page())
	if err != nil {
		return nil, err
	}
	body := CannedReplyList{Items: []CannedReply{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, reply := range list.Items {
		body.Items = append(body.Items, cannedBody(reply))
	}
	return &listCannedOutput{Body: body}, nil
}

// NewCannedReply is one to be kept.
type NewCannedReply struct {
	Name string `json:"name"`
	Body string `json:"body" doc:"1 to 5,000 code points after trimming"`
}

type createCannedInput struct {
	ProjectPath
	Body NewCannedReply
}

type cannedOutput struct{ Body CannedReply }

func (s *Server) createCannedReply(ctx context.Context, in *createCannedInput) (*cannedOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	reply := models.CannedReply{ProjectID: models.ID(in.ID), Name: in.Body.Name, Body: in.Body.Body}
	if err := reply.Normalize(); err != nil {
		return nil, err
	}
	reply, err := s.store.CreateCannedReply(ctx, claims.Scope, reply)
	if err != nil {
		return nil, err
	}
	return &cannedOutput{Body: cannedBody(reply)}, nil
}

// CannedReplyPatch changes the fields it names.
type CannedReplyPatch struct {
	Name *string `json:"name,omitempty"`
	Body *string `json:"body,omitempty"`
	Rev  int64   `json:"rev" minimum:"1" doc:"The revision that the change is based on"`
}

// CannedPath names a canned reply in a call's address.
type CannedPath struct {
	ID string `path:"id" doc:"The canned reply's id"`
}

type updateCannedInput struct {
	CannedPath
	Body CannedReplyPatch
}

func (s *Server) updateCannedReply(ctx context.Context, in *updateCannedInput) (*cannedOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	reply, err := s.store.CannedReply(ctx, claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	set(&reply.Name, in.Body.Name)
	set(&reply.Body, in.Body.Body)
	reply.Rev = in.Body.Rev
	if err := reply.Normalize(); err != nil {
		return nil, err
	}
	if reply, err = s.store.UpdateCannedReply(ctx, claims.Scope, reply); err != nil {
		return nil, err
	}
	return &cannedOutput{Body: cannedBody(reply)}, nil
}

func (s *Server) deleteCannedReply(ctx context.Context, in *CannedPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	return nil, s.store.DeleteCannedReply(ctx, claims.Scope, models.ID(in.ID))
}
