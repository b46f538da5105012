package api

import (
	"bufio"
	"context"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
)

// AuditEntry is something that was done in the organisation: ids, and no personal
// data.
type AuditEntry struct {
	N         int64              `json:"n" doc:"Its number in the organisation's log: consecutive, from 1"`
	At        time.Time          `json:"at"`
	Actor     AuditActor         `json:"actor"`
	Action    models.AuditAction `json:"action"`
	Object    AuditObject        `json:"object"`
	ProjectID *models.ID         `json:"project_id" nullable:"true"`
	Detail    map[string]string  `json:"detail" nullable:"false" doc:"Names of fields, roles and scopes"`
}

// AuditActor is who did it, and from where.
type AuditActor struct {
	Kind    models.ActorKind `json:"kind" enum:"user,api_key,visitor,operator,system"`
	ID      *models.ID       `json:"id" nullable:"true"`
	Address *string          `json:"address" nullable:"true" doc:"The network: a /24, or /48 of IPv6"`
}

// AuditObject is to what it was done.
type AuditObject struct {
	Kind string     `json:"kind" example:"user"`
	ID   *models.ID `json:"id" nullable:"true"`
}

// AuditList is a page of the log, newest first.
type AuditList struct {
	Items      []AuditEntry `json:"items" nullable:"false"`
	NextCursor *string      `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64       `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string       `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

func auditBody(e models.AuditEntry) AuditEntry {
	orNull := func(id models.ID) *models.ID {
		if id == "" {
			return nil
		}
		return &id
	}
	body := AuditEntry{
		N: e.N, At: e.At, Actor: AuditActor{Kind: e.Kind, ID: orNull(e.ID)}, Action: e.Action,
		Object: AuditObject{Kind: e.ObjectKind, ID: orNull(e.ObjectID)}, ProjectID: orNull(e.ProjectID), Detail: e.Detail,
	}
	if e.Address != "" {
		body.Actor.Address = &e.Address
	}
	return body
}

type listAuditInput struct{ PageQuery }

type listAuditOutput struct{ Body AuditList }

func (s *Server) listAudit(ctx context.Context, in *listAuditInput) (*listAuditOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanAudit() {
		return nil, errRole()
	}
	list, err := s.store.Audit(ctx, claims.Scope, in.page())
	if err != nil {
		return nil, err
	}
	body := AuditList{Items: []AuditEntry{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, entry := range list.Items {
		body.Items = append(body.Items, auditBody(entry))
	}
	return &listAuditOutput{Body: body}, nil
}

// exportAudit sends the whole log as JSON lines, the oldest first. Its chain is
// checked on the way; where it does not hold, the last line says so.
func (s *Server) exportAudit(c *fiber.Ctx) error {
	who, err := s.admit(c, operation{scope: models.ScopeAuditRead})
	if err != nil {
		return err
	}
	if err := checkStaffQuery(c, nil); err != nil {
		return err
	}
	if !who.claims.CanAudit() {
		return errRole()
	}
	c.Set(fiber.HeaderContentType, "application/x-ndjson")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="audit.jsonl"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
	scope, conn, ctx := who.claims.Scope, c.Context().Conn(), s.leaving
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		out := json.NewEncoder(w)
		err := s.store.EachAudit(ctx, scope, func(entry models.AuditEntry) error {
			if err := conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
				return err
			}
			return out.Encode(auditBody(entry))
		})
		if err != nil {
			s.log.Error("export the audit log", "organization", scope.Organization(), "error", err)
			_ = out.Encode(map[string]string{"error": "the log ends here: it cannot be read, or was changed behind the server's back"})
		}
		_ = w.Flush()
	})
	return nil
}
