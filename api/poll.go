package api

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/store"
	"earshot/realtime"
	"earshot/realtime/protocol"
)

const (
	// longestPoll bounds a visitor's wait, in seconds. Proxies cut off at thirty.
	longestPoll = 25
	// visitorPage bounds one answer; nobody has that many.
	visitorPage = 200
	// pollsPerMinute is what one address may ask, waiting or not: twenty that
	// wait ask 48 times, and again at each event.
	pollsPerMinute = 300
)

// Poll asks for what happened to a visitor's items.
type Poll struct {
	Epoch models.Epoch `json:"epoch,omitempty" doc:"The epoch that since was counted in; needed where since is not 0"`
	Since *int64       `json:"since,omitempty" minimum:"0" doc:"The last seq that was seen, or the head where there was none; 0, or none, is the start of the window"`
	Wait  *int         `json:"wait,omitempty" minimum:"0" maximum:"25" doc:"Seconds to wait for an event where there is none"`
}

// VisitorEvents is a visitor's part of a log.
type VisitorEvents struct {
	Epoch  models.Epoch      `json:"epoch"`
	Head   int64             `json:"head" doc:"The project's last seq; where there are no events, the next since"`
	Events []visitorEnvelope `json:"events" nullable:"false" doc:"Oldest first, at most 200; or one ResumeFailed where since cannot be served. The next since is the last one's seq"`
}

// visitorEnvelope is a visitor's event, encoded.
type visitorEnvelope json.RawMessage

// Schema implements huma.SchemaProvider.
func (visitorEnvelope) Schema(huma.Registry) *huma.Schema { return ref("VisitorServerEvent") }

// MarshalJSON implements json.Marshaler.
func (e visitorEnvelope) MarshalJSON() ([]byte, error) { return e, nil }

// pollEvents answers a visitor with what came after since, at once if there is
// any, otherwise as soon as there is, or empty when the wait is over.
func (s *Server) pollEvents(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	address := s.address(c)
	if err := s.polls.Take(c.UserContext(), intake.AddressKey(address)); err != nil {
		return err
	}
	at, wait, err := s.decodePoll(c)
	if err != nil {
		return err
	}
	session, err := s.visitorSession(c, project)
	if err != nil {
		return err
	}
	if wait > 0 {
		release, err := s.waiting.take(address)
		if err != nil {
			return err
		}
		defer release()
	}
	answer, err := s.awaitVisitorEvents(c.UserContext(), project, session, at, wait)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // an event is the same text as on a socket
	if err := enc.Encode(answer); err != nil {
		return err
	}
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response().Header.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(body.Bytes())
}

func (s *Server) decodePoll(c *fiber.Ctx) (at position, wait time.Duration, err error) {
	in, err := decodeVisitor(c, s.pollBodies)
	if err != nil {
		return at, 0, err
	}
	at.epoch = in.Epoch
	if in.Since != nil {
		at.since = *in.Since
	}
	switch {
	case at.since < 0:
		return at, 0, models.InvalidField("since", "must not be negative")
	case at.since > 0 && at.epoch == "":
		return at, 0, errNoEpoch()
	case in.Wait != nil && (*in.Wait < 0 || *in.Wait > longestPoll):
		return at, 0, models.InvalidField("wait", "must be from 0 to 25")
	case in.Wait != nil:
		wait = time.Duration(*in.Wait) * time.Second
	}
	return at, wait, nil
}

// visitorSession finds the session that the request's resume token proves.
func (s *Server) visitorSession(c *fiber.Ctx, project *models.Project) (models.ID, error) {
	unknown := models.Errorf(models.CodeUnauthorized, "a resume token with which something was submitted is needed")
	token, ok := bearer(c)
	if !ok || !models.ValidToken(token) {
		return "", unknown
	}
	session, err := s.store.VisitorSession(c.UserContext(), project.ID, models.HashResumeToken(token))
	if models.CodeOf(err) == models.CodeNotFound {
		return "", unknown
	}
	return session, err
}

// awaitVisitorEvents looks at the log until there is something or the wait is
// over. It listens before it looks, so that nothing comes in between.
func (s *Server) awaitVisitorEvents(ctx context.Context, project *models.Project, session models.ID, at position, wait time.Duration) (VisitorEvents, error) {
	grown, stop := s.hub.WatchSession(project.ID, session)
	defer stop()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for over := wait == 0; ; {
		answer, err := s.visitorEventsAfter(ctx, project, session, at)
		if err != nil || over || len(answer.Events) > 0 {
			return answer, err
		}
		select {
		case <-grown:
		case <-timer.C:
			over = true
		case <-s.leaving.Done():
			over = true
		}
		// The key may be nobody's by now, and nothing is told to who is out.
		now, err := s.store.ProjectByKey(ctx, project.Key)
		if models.CodeOf(err) == models.CodeNotFound || err == nil && now.KeyDisabled {
			return VisitorEvents{}, errNoKey()
		}
		if err != nil {
			return VisitorEvents{}, err
		}
	}
}

func (s *Server) visitorEventsAfter(ctx context.Context, project *models.Project, session models.ID, at position) (VisitorEvents, error) {
	scope := models.ScopeOf(project.OrganizationID)
	head, err := s.store.LogHead(ctx, scope, project.ID)
	if err != nil {
		return VisitorEvents{}, err
	}
	answer := VisitorEvents{Epoch: head.Epoch, Head: head.Last, Events: []visitorEnvelope{}}
	if reason := realtime.CannotResumeVisitor(head, at.epoch, at.since); reason != "" {
		event, err := protocol.Encode[protocol.VisitorServerEvent](protocol.VisitorServer, protocol.ResumeFailed{Reason: reason}, protocol.Meta{})
		answer.Events = append(answer.Events, event)
		return answer, err
	}
	err = s.addVisitorEvents(ctx, &answer, scope, project.ID, session, at.since)
	return answer, err
}

// addVisitorEvents fills an answer. Most of what staff do is not told, so a page
// of the log may hold nothing.
func (s *Server) addVisitorEvents(ctx context.Context, answer *VisitorEvents, scope models.Scope, project, session models.ID, since int64) error {
	for {
		entries, err := s.store.ReadVisitorLog(ctx, scope, project, session, since, store.MaxLimit)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			event, err := protocol.EncodeVisitorLog(entry, answer.Epoch)
			if err != nil {
				return err
			}
			if event != nil {
				answer.Events = append(answer.Events, event)
			}
			since = entry.Seq
			answer.Head = max(answer.Head, since) // it may have grown between the reads
			if len(answer.Events) == visitorPage {
				return nil
			}
		}
		if len(entries) < store.MaxLimit {
			return nil
		}
	}
}
