package realtime

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	fastws "github.com/fasthttp/websocket"

	"earshot/models"
	"earshot/realtime/protocol"
)

func TestVisitorConversation(t *testing.T) {
	h := start(t, true)
	dashboard := h.dial("/dashboard")
	h.subscribe(dashboard, map[string]any{})
	v := h.dial("/visitor")
	connected := v.next()
	if connected.Type != "Connected" {
		t.Fatalf("first event is %s, want Connected", connected.Type)
	}
	v.send("DraftChanged", "d1", map[string]any{"text": "it is broken", "shared": true, "page_url": "https://shop.example/cart"})
	accepted := v.want("DraftAccepted")
	if accepted.Re != "d1" || !strings.Contains(string(accepted.Data), `"bug"`) {
		t.Errorf("draft answered %s (re %q), want kind bug", accepted.Data, accepted.Re)
	}
	if e := dashboard.want("DraftChanged"); !strings.Contains(string(e.Data), "it is broken") || e.Seq != 0 {
		t.Errorf("dashboard saw draft %s with seq %d", e.Data, e.Seq)
	}
	id := models.NewID()
	v.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://shop.example/cart", "message": "it is broken"})
	if e := v.want("FeedbackReceived"); e.Re != string(id) || !strings.Contains(string(e.Data), "/r/") {
		t.Errorf("acknowledged with %s (re %s), want a receipt for %s", e.Data, e.Re, id)
	}
	// The draft goes before the feedback comes, or after it: both are seen.
	if e := dashboard.want("FeedbackReceived"); e.Seq != 1 || !strings.Contains(string(e.Data), string(id)) {
		t.Errorf("dashboard saw %s with seq %d", e.Data, e.Seq)
	}
	v.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://shop.example/cart", "message": " it is broken "})
	v.want("FeedbackReceived")
	v.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://shop.example/cart", "message": "else"})
	if e := v.want("Error"); e.code() != models.CodeIDConflict || e.Re != string(id) {
		t.Errorf("another payload: %s (re %s), want id_conflict", e.Data, e.Re)
	}
}

func TestUnsharedDraftShowsNoText(t *testing.T) {
	h := start(t, true)
	dashboard := h.dial("/dashboard")
	h.subscribe(dashboard, map[string]any{})
	v := h.dial("/visitor")
	v.send("DraftChanged", "", map[string]any{"text": "between us", "page_url": "https://shop.example/cart?name=ann#order"})
	v.want("DraftAccepted")
	e := dashboard.want("DraftChanged")
	if strings.Contains(string(e.Data), "between us") || strings.Contains(string(e.Data), "ann") || strings.Contains(string(e.Data), "order") {
		t.Errorf("dashboard saw an unshared draft: %s", e.Data)
	}
	if !strings.Contains(string(e.Data), `"https://shop.example/cart"`) {
		t.Errorf("dashboard is not told the page of a draft: %s", e.Data)
	}
}

func TestFastDraftsAreCoalesced(t *testing.T) {
	h := start(t, false)
	v := h.dial("/visitor")
	const sent = 15
	for i := range sent {
		v.send("DraftChanged", strings.Repeat("i", i+1), map[string]any{"text": "draft"})
	}
	answers := 0
	for last := strings.Repeat("i", sent); ; {
		e := v.want("DraftAccepted")
		answers++
		if e.Re == last {
			break
		}
	}
	if answers >= sent || answers < draftsPerSecond {
		t.Errorf("%d drafts got %d answers, want at least %d and fewer than all", sent, answers, draftsPerSecond)
	}
}

func TestHello(t *testing.T) {
	h := start(t, true)
	token := models.NewToken()
	v := h.dial("/visitor")
	v.send("Hello", "h1", map[string]any{"resume_token": token, "since": 0})
	if e := v.want("ResumeFailed"); !strings.Contains(string(e.Data), "unknown_token") {
		t.Errorf("unknown token: %s", e.Data)
	}
	v.send("Hello", "h2", map[string]any{"resume_token": token})
	if e := v.want("Error"); e.Re != "h2" {
		t.Errorf("second Hello: %s (re %s)", e.Data, e.Re)
	}
	id := models.NewID()
	v.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://a.example/", "message": "x"})
	v.want("FeedbackReceived")

	again := h.dial("/visitor")
	again.send("Hello", "h3", map[string]any{"resume_token": token, "epoch": h.store.Epoch(), "since": 1})
	if e := again.want("Resumed"); e.Re != "h3" {
		t.Errorf("known token: %s", e.Data)
	}
	for _, hello := range []map[string]any{
		{"resume_token": token, "epoch": "another", "since": 1},
		{"resume_token": token, "epoch": h.store.Epoch(), "since": 2}, // was never given
	} {
		other := h.dial("/visitor")
		other.send("Hello", "h4", hello)
		if e := other.want("ResumeFailed"); !strings.Contains(string(e.Data), "epoch_changed") {
			t.Errorf("%v: %s, want epoch_changed", hello, e.Data)
		}
	}
	again.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://a.example/", "message": "x"})
	if e := again.want("FeedbackReceived"); !strings.Contains(string(e.Data), "receipt_url") {
		t.Errorf("the session's own token got no receipt: %s", e.Data)
	}
}

func TestHelloRefusals(t *testing.T) {
	h := start(t, true)
	for path, hello := range map[string]map[string]any{
		"resume_token": {"resume_token": ""},
		"since":        {"resume_token": models.NewToken(), "epoch": h.store.Epoch(), "since": -1},
		"epoch":        {"resume_token": models.NewToken(), "since": 1},
	} {
		v := h.dial("/visitor")
		v.send("Hello", "h", hello)
		if e := v.want("Error"); e.Re != "h" || e.code() != models.CodeInvalidField || !strings.Contains(string(e.Data), `"path":"`+path+`"`) {
			t.Errorf("%v: %s (re %q), want invalid_field of %s", hello, e.Data, e.Re, path)
		}
	}
}

// Who sends what a stranger has sent learns that it is there, and stays who they
// are.
func TestRepeatingAStrangersSubmission(t *testing.T) {
	h := start(t, true)
	submission := map[string]any{"page_url": "https://a.example/", "message": "x"}
	theirs, first, second := models.NewID(), models.NewID(), models.NewID()
	stranger := h.dial("/visitor")
	stranger.send("FeedbackSubmitted", string(theirs), submission)
	stranger.want("FeedbackReceived")
	v := h.dial("/visitor")
	v.send("FeedbackSubmitted", string(theirs), submission)
	if e := v.want("FeedbackReceived"); strings.Contains(string(e.Data), "receipt_url") {
		t.Errorf("the receipt of a stranger: %s", e.Data)
	}
	sessions := map[models.ID]models.ID{}
	for _, id := range []models.ID{first, second} {
		v.send("FeedbackSubmitted", string(id), submission)
		v.want("FeedbackReceived")
	}
	for _, id := range []models.ID{theirs, first, second} {
		item, err := h.store.Feedback(t.Context(), h.scope, id)
		if err != nil {
			t.Fatal(err)
		}
		sessions[id] = item.SessionID
	}
	if sessions[first] == sessions[theirs] || sessions[first] != sessions[second] {
		t.Errorf("the sessions are %v: want the stranger's, and one other", sessions)
	}
}

func TestBadFrames(t *testing.T) {
	h := start(t, true)
	for _, tc := range []struct {
		name  string
		kind  int
		frame []byte
		close protocol.CloseCode
		code  models.Code
	}{
		{"binary frame", fastws.BinaryMessage, []byte(`{}`), protocol.CloseUnsupported, ""},
		{"invalid UTF-8", fastws.TextMessage, []byte("\"\xff\""), protocol.CloseInvalidPayload, ""},
		{"too large", fastws.TextMessage, []byte(strings.Repeat(" ", protocol.MaxFrame+1)), protocol.CloseTooBig, ""},
		{"not JSON", fastws.TextMessage, []byte(`{"type":`), 0, models.CodeBadJSON},
		{"unknown type", fastws.TextMessage, []byte(`{"type":"Nope","data":{}}`), 0, models.CodeUnknownType},
		{"dashboard's type", fastws.TextMessage, []byte(`{"type":"Subscribe","data":{}}`), 0, models.CodeUnknownType},
		{"missing field", fastws.TextMessage, []byte(`{"type":"DraftChanged","data":{}}`), 0, models.CodeInvalidField},
		{"lone surrogate", fastws.TextMessage, []byte(`{"type":"DraftChanged","data":{"text":"\ud800"}}`), 0, models.CodeInvalidText},
		{"no id", fastws.TextMessage, []byte(`{"type":"FeedbackSubmitted","data":{"page_url":"https://a.example","message":"x"}}`), 0, models.CodeInvalidField},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := h.dial("/visitor")
			v.want("Connected")
			if err := v.ws.WriteMessage(tc.kind, tc.frame); err != nil {
				t.Fatal(err)
			}
			if tc.close != 0 {
				v.wantClose(tc.close)
				return
			}
			if e := v.want("Error"); e.code() != tc.code {
				t.Errorf("answered %s, want %s", e.Data, tc.code)
			}
			v.send("Ping", "alive", map[string]any{})
			v.want("Pong")
		})
	}
}

func TestTenBadEventsEndTheSocket(t *testing.T) {
	h := start(t, true)
	v := h.dial("/visitor")
	v.want("Connected")
	for range badEvents {
		v.send("Nope", "", map[string]any{})
	}
	for range badEvents {
		v.want("Error")
	}
	v.wantClose(protocol.CloseBadEvents)
}

func TestFloodOfFramesIsRefusedThenCutOff(t *testing.T) {
	h := start(t, false)
	v := h.dial("/visitor")
	go func() {
		ping, _ := json.Marshal(map[string]any{"type": "Ping", "id": "one of many", "data": map[string]any{}})
		for range 2000 {
			if v.ws.WriteMessage(fastws.TextMessage, ping) != nil {
				return
			}
		}
	}()
	v.want("Pong")
	if e := v.want("Error"); e.code() != models.CodeRateLimited || e.Re != "one of many" {
		t.Errorf("past the limit: %s (re %q), want rate_limited of what was sent", e.Data, e.Re)
	}
	v.wantClose(protocol.CloseRateLimited)
}

func TestConnectionsPerAddress(t *testing.T) {
	h := start(t, false)
	for range socketsPerAddress {
		h.dial("/visitor").want("Connected")
	}
	_, response, err := fastws.DefaultDialer.Dial("ws://"+h.addr+"/visitor", nil)
	if err == nil {
		t.Fatal("one more socket was admitted")
	}
	_ = response.Body.Close()
}

func TestPresenceCountsVisitors(t *testing.T) {
	h := start(t, true)
	d := h.dial("/dashboard")
	h.subscribe(d, map[string]any{})
	var state protocol.PresenceState
	if err := json.Unmarshal(d.want("PresenceState").Data, &state); err != nil {
		t.Fatal(err)
	}
	if len(state.Members) != 1 || state.Members[0].Name != "Ann" || state.Visitors != 0 {
		t.Errorf("at first there are %+v, want Ann alone", state)
	}
	visitors := func() int {
		var diff protocol.PresenceDiff
		if err := json.Unmarshal(d.want("PresenceDiff").Data, &diff); err != nil {
			t.Fatal(err)
		}
		if len(diff.Joined)+len(diff.Left) > 0 {
			t.Errorf("%+v, want no member to come or go", diff)
		}
		return diff.Visitors
	}
	v := h.dial("/visitor")
	for n := visitors(); n != 1; n = visitors() {
		t.Logf("%d visitors", n)
	}
	_ = v.ws.WriteControl(fastws.CloseMessage, fastws.FormatCloseMessage(1000, ""), time.Now().Add(wait))
	v.wantClose(protocol.CloseNormal)
	for n := visitors(); n != 0; n = visitors() {
		t.Logf("%d visitors", n)
	}
}

func TestSessionEndedElsewhereEndsItsSockets(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	c.want("Connected")
	if err := h.store.RevokeSession(t.Context(), h.claims.SessionID); err != nil {
		t.Fatal(err)
	}
	_ = c.ws.SetReadDeadline(time.Now().Add(3 * watchInterval))
	for {
		_, _, err := c.ws.ReadMessage()
		var closed *fastws.CloseError
		if errors.As(err, &closed) && closed.Code == int(protocol.CloseRevoked) {
			return
		}
		if err != nil {
			t.Fatalf("socket ended with %v, want close code %d", err, protocol.CloseRevoked)
		}
	}
}

func TestSubscriberHearsOncePerStateWhoIsHere(t *testing.T) {
	h := start(t, true)
	count := func(c *client) (states int) {
		t.Helper()
		time.Sleep(3 * tickInterval)
		c.send("Ping", "counted", map[string]any{})
		for e := c.next(); e.Re != "counted"; e = c.next() {
			if e.Type == "PresenceState" {
				states++
			}
		}
		return states
	}
	// The second is the same member's, so nothing changes for the first.
	first, second := h.dial("/dashboard"), h.dial("/dashboard")
	for _, c := range []*client{first, second} {
		h.subscribe(c, map[string]any{})
		if n := count(c); n != 1 {
			t.Errorf("after Subscribe came %d PresenceStates, want 1", n)
		}
	}
	if n := count(first); n != 0 {
		t.Errorf("without a change came %d PresenceStates, want none", n)
	}
}
