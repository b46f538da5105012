package api

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime"
	"earshot/realtime/protocol"
)

const (
	eventStreamType = "text/event-stream"
	lastEventID     = "Last-Event-ID"
	// streamPage is how many events a stream reads at a time.
	streamPage = 50
)

// wantsStream reports whether a client prefers a stream to an answer.
func wantsStream(c *fiber.Ctx) bool {
	// Media types have no case (RFC 9110 §8.3.1); the framework compares bytes.
	c.Request().Header.Set(fiber.HeaderAccept, strings.ToLower(c.Get(fiber.HeaderAccept)))
	return c.Accepts(fiber.MIMEApplicationJSON, eventStreamType) == eventStreamType
}

// streamEvents sends a project's log as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). A stream
// holds nothing back for its reader: it reads the log from the last event sent
// on, and the hub only tells it when to look.
func (s *Server) streamEvents(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAccept)
	if !wantsStream(c) {
		return c.Next()
	}
	who, err := s.admit(c, operation{scope: models.ScopeFeedbackRead})
	if err != nil {
		return err
	}
	if err := checkStaffQuery(c, []string{"epoch", "since", "wait", "limit"}); err != nil {
		return err
	}
	at, err := streamPosition(c)
	if err != nil {
		return err
	}
	project := models.ID(c.Params("id"))
	if _, err := s.store.LogHead(c.UserContext(), who.claims.Scope, project); err != nil {
		return err
	}
	st := &stream{server: s, claims: who.claims, project: project, at: at, conn: c.Context().Conn()}
	if err := s.openStream(st, who); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, eventStreamType)
	c.Set(fiber.HeaderCacheControl, "no-store, no-transform")
	c.Set("X-Accel-Buffering", "no") // nginx would collect events until a buffer is full
	c.Context().SetBodyStreamWriter(st.run)
	return nil
}

// streamPosition is where a stream begins. A client that lost one sends the id of
// the last event it has, in a header beside the query that it began with.
func streamPosition(c *fiber.Ctx) (at position, err error) {
	if id := c.Get(lastEventID); id != "" {
		epoch, seq, ok := strings.Cut(id, ":")
		at.since, err = strconv.ParseInt(seq, 10, 64)
		if !ok || epoch == "" || err != nil || at.since < 0 {
			return at, models.InvalidField(lastEventID, "must be an epoch and a seq, with a colon between them")
		}
		at.epoch = models.Epoch(epoch)
		return at, nil
	}
	at.epoch = models.Epoch(c.Query("epoch"))
	if since := c.Query("since"); since != "" {
		if at.since, err = strconv.ParseInt(since, 10, 64); err != nil || at.since < 0 {
			return at, models.InvalidField("since", "must be a whole number from 0")
		}
	}
	if at.since > 0 && at.epoch == "" {
		return at, errNoEpoch()
	}
	return at, nil
}

// stream is one open stream. Its goroutine belongs to the server of the
// connection, which starts it and reads what it writes.
type stream struct {
	server  *Server
	claims  models.Claims
	project models.ID
	at      position
	conn    net.Conn
	release func()
	// ctx ends with the token, the session, the server's leaving, and end.
	ctx context.Context
	end context.CancelFunc

	w       *bufio.Writer
	failed  error // of writing; nothing is written behind it
	spokeAt time.Time
}

func (st *stream) run(w *bufio.Writer) {
	defer st.server.closeStream(st)
	defer func() { // nobody above would catch it
		if value := recover(); value != nil {
			st.server.log.Error("stream panicked", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
		}
	}()
	st.w = w
	err := st.follow()
	if err != nil && st.ctx.Err() == nil && models.CodeOf(err) != models.CodeUnauthorized {
		st.server.log.Error("stream events", "project", st.project, "error", err)
	}
	if st.server.leaving.Err() != nil {
		st.goAway()
	}
}

// follow sends events until there is a reason to end; one that is the client's
// is no error.
func (st *stream) follow() error {
	st.sendRetry(realtime.RetryAfterMS())
	for st.failed == nil {
		found, err := st.server.eventsAfter(st.ctx, st.claims.Scope, st.project, st.at, streamPage)
		if models.CodeOf(err) == models.CodeNotFound {
			head := store.Head{Epoch: st.server.store.Epoch(), Last: st.at.since}
			found, err = resync(st.project, head, protocol.ReasonProjectDeleted)
		}
		if err != nil {
			return err
		}
		if len(found.events) == 0 {
			st.wait()
		} else if more := st.send(found); !more {
			return nil
		}
		if err := st.server.stillMember(st.ctx, st.claims); err != nil {
			return err
		}
		st.beat()
	}
	return nil
}

// wait returns once there may be more in the log, or it is time to see whether
// all is in order.
func (st *stream) wait() {
	ctx, cancel := context.WithTimeout(st.ctx, st.server.streams.check)
	defer cancel()
	_ = st.server.hub.Wait(ctx, st.project, st.at.since)
}

// send writes events; more is false behind one that says that there are no
// others.
func (st *stream) send(found loggedEvents) (more bool) {
	for _, event := range found.events {
		if event.seq != 0 {
			st.at = position{found.epoch, event.seq}
			st.print("id: ", string(found.epoch), ":", strconv.FormatInt(event.seq, 10), "\n")
		}
		st.print("event: ", event.name, "\ndata: ", string(event.data), "\n\n")
	}
	st.flush()
	return found.events[len(found.events)-1].seq != 0
}

func (st *stream) sendRetry(ms int64) {
	st.print("retry: ", strconv.FormatInt(ms, 10), "\n\n")
	st.flush()
}

// beat says that the stream is alive where nothing else has for a while. To
// write is also the only way to notice that the client is gone.
func (st *stream) beat() {
	if time.Since(st.spokeAt) >= st.server.streams.heartbeat {
		st.print(":\n\n")
		st.flush()
	}
}

func (st *stream) goAway() {
	retry := realtime.RetryAfterMS()
	data, err := protocol.Encode[protocol.DashboardServerEvent](protocol.DashboardServer, protocol.GoingAway{RetryAfterMS: retry}, protocol.Meta{})
	if err != nil {
		st.server.log.Error("encode GoingAway", "error", err)
		return
	}
	st.print("event: GoingAway\ndata: ", string(data), "\n")
	st.sendRetry(retry)
}

// print gives the connection time for what is written now. A reader that takes
// nothing for so long loses the connection: what is waiting for it is in the log.
func (st *stream) print(parts ...string) {
	if st.failed == nil {
		st.failed = st.conn.SetWriteDeadline(time.Now().Add(st.server.streams.patience))
	}
	for _, part := range parts {
		if st.failed == nil {
			_, st.failed = st.w.WriteString(part)
		}
	}
}

func (st *stream) flush() {
	st.spokeAt = time.Now()
	if st.failed == nil {
		st.failed = st.w.Flush()
	}
}
