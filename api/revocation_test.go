package api_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api/apitest"
	"earshot/models"
)

// Five hundred sockets of a member who is removed, while feedback comes: each is
// closed within a second, and hears of nothing that came after.
func TestFiveHundredSocketsAreRevoked(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	agent := member(t, s, owner, models.RoleAgent)
	const count = 500
	sockets := make([]*websocket.Conn, count)
	for i := range sockets {
		sockets[i] = dashboardSocket(t, s, agent)
		if err := sockets[i].WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": project.ID}}); err != nil {
			t.Fatal(err)
		}
		await(t, sockets[i], "PresenceState")
	}
	var ended atomic.Int64 // when the removal was answered, in Unix nanoseconds
	var late, heard, slowest atomic.Int64
	var reading sync.WaitGroup
	for _, socket := range sockets {
		reading.Go(func() {
			for {
				_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
				_, frame, err := socket.ReadMessage()
				at := ended.Load()
				var closed *websocket.CloseError
				switch {
				case errors.As(err, &closed) && closed.Code == 4502 && at != 0:
					after := time.Now().UnixNano() - at
					for old := slowest.Load(); after > old && !slowest.CompareAndSwap(old, after); old = slowest.Load() {
					}
					return
				case errors.As(err, &closed) && closed.Code == 4502: // before the answer was read
					return
				case err != nil:
					late.Add(1)
					return
				case at != 0 && contains(frame, "after the end"):
					heard.Add(1)
				}
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() {
		for ctx.Err() == nil {
			message := "before the end"
			if ended.Load() != 0 {
				message = "after the end"
			}
			s.Submit(t, project, message)
		}
	})
	time.Sleep(200 * time.Millisecond)
	var me struct {
		User struct{ ID string }
	}
	agent.Get("/api/v1/me", 200).JSON(&me)
	owner.Delete("/api/v1/members/" + me.User.ID)
	ended.Store(time.Now().UnixNano())
	reading.Wait()
	stop()
	sending.Wait()
	t.Logf("%d sockets were closed, the last %v after the answer", count, time.Duration(slowest.Load()))
	if late.Load() > 0 || heard.Load() > 0 || time.Duration(slowest.Load()) > time.Second {
		t.Errorf("%d sockets ended otherwise, %d events came after the end, the last socket was closed after %v", late.Load(), heard.Load(), time.Duration(slowest.Load()))
	}
}

func contains(frame []byte, text string) bool { return bytes.Contains(frame, []byte(text)) }
