package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"earshot/models"
	"earshot/realtime"
	"earshot/realtime/protocol"
)

// eventsPage bounds one answer; who is further behind asks again from the last
// seq received.
const eventsPage = 200

// EventPage is a piece of a project's log.
type EventPage struct {
	Epoch  models.Epoch `json:"epoch"`
	Head   int64        `json:"head" doc:"The log's last seq"`
	Events []envelope   `json:"events" nullable:"false" doc:"Oldest first; or one ResyncRequired where since cannot be served"`
}

// envelope is a dashboard's event, encoded.
type envelope json.RawMessage

// Schema implements huma.SchemaProvider.
func (envelope) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: "#/components/schemas/DashboardServerEvent"}
}

// MarshalJSON implements json.Marshaler.
func (e envelope) MarshalJSON() ([]byte, error) { return e, nil }

type readEventsInput struct {
	ProjectPath
	Epoch string `query:"epoch" doc:"The epoch that since was counted in; needed where since is not 0"`
	Since int64  `query:"since" minimum:"0" doc:"The last seq that was seen; 0 is the start of the window"`
	Wait  int    `query:"wait" minimum:"0" maximum:"25" doc:"Seconds to wait for an event where there is none"`
}

type readEventsOutput struct{ Body EventPage }

// readEvents answers with what came after since, at once if there is any,
// otherwise as soon as there is, or empty when the wait is over.
func (s *Server) readEvents(ctx context.Context, in *readEventsInput) (*readEventsOutput, error) {
	if in.Since > 0 && in.Epoch == "" {
		return nil, models.InvalidField("epoch", "is needed where since is not 0")
	}
	claims := askerOf(ctx).claims
	project := models.ID(in.ID)
	out, done, err := s.eventsAfter(ctx, claims.Scope, project, in)
	if err != nil || done || in.Wait == 0 {
		return out, err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
	defer cancel()
	defer context.AfterFunc(s.leaving, cancel)()
	if s.hub.Wait(waiting, project, out.Body.Head) != nil {
		return out, s.stillMember(ctx, claims)
	}
	// Much may have changed during the wait: the session may have ended, and
	// nothing is told to who is out.
	if err := s.stillMember(ctx, claims); err != nil {
		return nil, err
	}
	out, _, err = s.eventsAfter(ctx, claims.Scope, project, in)
	return out, err
}

func (s *Server) stillMember(ctx context.Context, claims models.Claims) error {
	_, err := s.store.Authorize(ctx, claims.SessionID)
	return err
}

// eventsAfter reads one page; done says that it holds something to tell.
func (s *Server) eventsAfter(ctx context.Context, scope models.Scope, project models.ID, in *readEventsInput) (out *readEventsOutput, done bool, err error) {
	head, err := s.store.LogHead(ctx, scope, project)
	if err != nil {
		return nil, false, err
	}
	page := EventPage{Epoch: head.Epoch, Head: head.Last, Events: []envelope{}}
	if reason := realtime.CannotResume(head, models.Epoch(in.Epoch), in.Since); reason != "" {
		event, err := protocol.Encode(protocol.DashboardServer, protocol.DashboardServerEvent(protocol.ResyncRequired{
			ProjectID: project, Reason: reason, Epoch: head.Epoch, Head: head.Last,
		}), protocol.Meta{})
		page.Events = append(page.Events, event)
		return &readEventsOutput{Body: page}, true, err
	}
	entries, err := s.store.ReadLog(ctx, scope, project, in.Since, eventsPage)
	if err != nil {
		return nil, false, err
	}
	var failed []error
	for _, entry := range entries {
		event, err := protocol.EncodeLog(entry, head.Epoch)
		failed = append(failed, err)
		page.Events = append(page.Events, event)
		// The log may have grown between the two reads.
		page.Head = max(page.Head, entry.Seq)
	}
	return &readEventsOutput{Body: page}, len(entries) > 0, errors.Join(failed...)
}
