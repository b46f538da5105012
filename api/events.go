package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime"
	"earshot/realtime/protocol"
)

// EventPage is a piece of a project's log.
type EventPage struct {
	Epoch  models.Epoch `json:"epoch"`
	Head   int64        `json:"head" doc:"The log's last seq"`
	Events []envelope   `json:"events" nullable:"false" doc:"Oldest first; or one ResyncRequired where since cannot be served"`
}

// envelope is a dashboard's event, encoded.
type envelope json.RawMessage

// Schema implements huma.SchemaProvider.
func (envelope) Schema(huma.Registry) *huma.Schema { return ref("DashboardServerEvent") }

// MarshalJSON implements json.Marshaler.
func (e envelope) MarshalJSON() ([]byte, error) { return e, nil }

type readEventsInput struct {
	ProjectPath
	Epoch string `query:"epoch" doc:"The epoch that since was counted in; needed where since is not 0"`
	Since int64  `query:"since" minimum:"0" doc:"The last seq that was seen; 0 is the start of the window"`
	Wait  int    `query:"wait" minimum:"0" maximum:"25" doc:"Seconds to wait for an event where there is none"`
	Limit int    `query:"limit" default:"200" doc:"1 to 200; larger is capped. Who is further behind asks again from the last seq received"`
}

type readEventsOutput struct{ Body EventPage }

// position is where a client is in a log.
type position struct {
	epoch models.Epoch
	since int64
}

func errNoEpoch() error { return models.InvalidField("epoch", "is needed where since is not 0") }

// readEvents answers with what came after since, at once if there is any,
// otherwise as soon as there is, or empty when the wait is over.
func (s *Server) readEvents(ctx context.Context, in *readEventsInput) (*readEventsOutput, error) {
	at := position{models.Epoch(in.Epoch), in.Since}
	if at.since > 0 && at.epoch == "" {
		return nil, errNoEpoch()
	}
	asker, project, limit := askerOf(ctx), models.ID(in.ID), min(in.Limit, store.MaxLimit)
	claims := asker.claims
	found, err := s.eventsAfter(ctx, claims.Scope, project, at, limit)
	if err != nil || len(found.events) > 0 || in.Wait == 0 {
		return found.page(), err
	}
	release, err := s.staffWaiting.take(asker.address)
	if err != nil {
		return nil, err
	}
	defer release()
	waiting, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
	defer cancel()
	defer context.AfterFunc(s.leaving, cancel)()
	grown := s.hub.Wait(waiting, project, found.head) == nil
	// Much may have changed during the wait: the session may have ended, and
	// nothing is told to who is out.
	if err := s.stillMember(ctx, claims); err != nil || !grown {
		return found.page(), err
	}
	found, err = s.eventsAfter(ctx, claims.Scope, project, at, limit)
	return found.page(), err
}

// stillMember asks anew whether who has waited may hear anything.
func (s *Server) stillMember(ctx context.Context, claims models.Claims) error {
	now, err := s.store.Authorize(ctx, claims.SessionID)
	if err == nil && (now.Scope != claims.Scope || claims.Expired(s.now())) {
		return errUnauthorized()
	}
	return err
}

// loggedEvents is a piece of a log as staff are told of it.
type loggedEvents struct {
	epoch  models.Epoch
	head   int64
	events []loggedEvent
}

// loggedEvent is an event as it goes out. One without a seq says why there are
// no others.
type loggedEvent struct {
	name string
	seq  int64
	data envelope
}

func (l loggedEvents) page() *readEventsOutput {
	page := EventPage{Epoch: l.epoch, Head: l.head, Events: make([]envelope, len(l.events))}
	for i, event := range l.events {
		page.Events[i] = event.data
	}
	return &readEventsOutput{Body: page}
}

// eventsAfter reads up to limit events behind a position.
func (s *Server) eventsAfter(ctx context.Context, scope models.Scope, project models.ID, at position, limit int) (loggedEvents, error) {
	head, err := s.store.LogHead(ctx, scope, project)
	if err != nil {
		return loggedEvents{}, err
	}
	if reason := realtime.CannotResume(head, at.epoch, at.since); reason != "" {
		return resync(project, head, reason)
	}
	entries, err := s.store.ReadLog(ctx, scope, project, at.since, limit)
	if err != nil {
		return loggedEvents{}, err
	}
	if at.since > 0 && len(entries) > 0 && entries[0].Seq != at.since+1 { // removed between the two reads
		return resync(project, head, protocol.ReasonTooOld)
	}
	found := loggedEvents{epoch: head.Epoch, head: head.Last, events: make([]loggedEvent, 0, len(entries))}
	for _, entry := range entries {
		data, err := protocol.EncodeLog(entry, head.Epoch)
		if err != nil {
			return loggedEvents{}, err
		}
		found.events = append(found.events, loggedEvent{string(entry.Type), entry.Seq, data})
		// The log may have grown between the two reads.
		found.head = max(found.head, entry.Seq)
	}
	return found, nil
}

func resync(project models.ID, head store.Head, reason protocol.ResumeReason) (loggedEvents, error) {
	data, err := protocol.Encode[protocol.DashboardServerEvent](protocol.DashboardServer, protocol.ResyncRequired{
		ProjectID: project, Reason: reason, Epoch: head.Epoch, Head: head.Last,
	}, protocol.Meta{})
	return loggedEvents{epoch: head.Epoch, head: head.Last, events: []loggedEvent{{name: "ResyncRequired", data: data}}}, err
}
