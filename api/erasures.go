package api

import (
	"context"
	"time"

	"earshot/models"
)

// ErasureReport counts what an erasure takes away.
type ErasureReport struct {
	DryRun   bool  `json:"dry_run" doc:"Nothing was erased"`
	Items    int64 `json:"items"`
	Messages int64 `json:"messages" doc:"Replies and notes"`
	Files    int64 `json:"attachments" doc:"With their content"`
	Events   int64 `json:"events" doc:"Lines of the log: they stay as tombstones that keep their numbers"`
	Exports  int64 `json:"exports" doc:"Files that may have something of it, and end"`
	Mails    int64 `json:"mails" doc:"Mails that wait"`
	Sessions int64 `json:"sessions" doc:"Visitors' sessions, which are not known any more"`
}

func erasureBody(report models.ErasureReport, dryRun bool) ErasureReport {
	return ErasureReport{
		DryRun: dryRun, Items: report.Items, Messages: report.Messages, Files: report.Attachments, Events: report.Events, Exports: report.Exports,
		Mails: report.Mails, Sessions: report.Sessions,
	}
}

// NewErasure erases all of one visitor's feedback.
type NewErasure struct {
	Email     string    `json:"email,omitempty" doc:"As the visitor gave it"`
	SessionID models.ID `json:"session_id,omitempty"`
	DryRun    bool      `json:"dry_run,omitempty" doc:"true only counts"`
}

type createErasureInput struct {
	ProjectPath
	Body NewErasure
}

type erasureOutput struct{ Body ErasureReport }

func (s *Server) createErasure(ctx context.Context, in *createErasureInput) (*erasureOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanErase() {
		return nil, errRole()
	}
	of := models.Erasure{Email: in.Body.Email, SessionID: in.Body.SessionID}
	if err := of.Normalize(); err != nil {
		return nil, err
	}
	act := s.store.EraseAll
	if in.Body.DryRun {
		act = s.store.ErasureOf
	}
	report, err := act(ctx, claims.Scope, models.ID(in.ID), of)
	if err != nil {
		return nil, err
	}
	return &erasureOutput{Body: erasureBody(report, in.Body.DryRun)}, nil
}

type getRetentionInput struct {
	ProjectPath
	Days int `query:"days" required:"true" minimum:"1" maximum:"3650" doc:"As retention_days would be"`
}

// getRetention is the dry run of a retention: what would be erased right away.
func (s *Server) getRetention(ctx context.Context, in *getRetentionInput) (*erasureOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	of := models.Erasure{Before: s.now().Add(-time.Duration(in.Days) * 24 * time.Hour)}
	report, err := s.store.ErasureOf(ctx, claims.Scope, models.ID(in.ID), of)
	if err != nil {
		return nil, err
	}
	return &erasureOutput{Body: erasureBody(report, true)}, nil
}
