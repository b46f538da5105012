package realtime

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// posted is what dashboards are told of a message or a note.
type posted struct {
	FeedbackID models.ID     `json:"feedback_id"`
	MessageID  models.ID     `json:"message_id"`
	Body       *string       `json:"body"`
	Author     models.Author `json:"author"`
	Rev        int64         `json:"rev"`
}

func (c *client) wantPosted(kind string, seq int64) (p posted) {
	c.t.Helper()
	e := c.want(kind)
	if err := json.Unmarshal(e.Data, &p); err != nil || e.Seq != seq {
		c.t.Fatalf("%s has seq %d, want %d (%v)", kind, e.Seq, seq, err)
	}
	return p
}

func TestConversation(t *testing.T) {
	h := start(t, true)
	v, d := h.dial("/visitor"), h.dial("/dashboard")
	h.subscribe(d, map[string]any{})
	item := v.submit() // 1
	say := func(c *client, kind string, data map[string]any) models.ID {
		t.Helper()
		id := models.NewID()
		c.send(kind, string(id), data)
		return id
	}
	accepted := func(c *client, id, of models.ID) {
		t.Helper()
		if e := c.want("MessageAccepted"); e.Re != string(id) || string(e.Data) != fmt.Sprintf(`{"id":"%s"}`, of) {
			t.Errorf("%s is answered %s (re %s)", id, e.Data, e.Re)
		}
	}
	question := say(v, "MessageSent", map[string]any{"feedback_id": item, "body": " Any news? "}) // 2
	accepted(v, question, question)
	if p := d.wantPosted("MessagePosted", 2); p.MessageID != question || *p.Body != "Any news?" || p.Author.Kind != models.AuthorVisitor || p.Rev != 1 {
		t.Errorf("staff are told %+v", p)
	}
	note := say(d, "NoteAdded", map[string]any{"feedback_id": item, "body": "secret"}) // 3
	if p := d.wantPosted("NoteAdded", 3); p.MessageID != note || *p.Body != "secret" || p.Author != (models.Author{Kind: models.AuthorMember, UserID: h.claims.UserID, Name: "Ann"}) {
		t.Errorf("staff are told %+v", p)
	}
	reply := say(d, "ReplySent", map[string]any{"feedback_id": item, "body": "It is mended."}) // 4
	d.wantPosted("MessagePosted", 4)
	var got protocol.ReplyPosted
	if e := v.want("ReplyPosted"); json.Unmarshal(e.Data, &got) != nil || e.Seq != 4 || e.Epoch == "" ||
		got.FeedbackID != item || got.MessageID != reply || got.AuthorName != "Ann" || got.Body != "It is mended." || got.At.IsZero() {
		t.Errorf("the visitor is told %s", e.Data)
	}
	say(d, "NoteEdited", map[string]any{"feedback_id": item, "message_id": note, "body": "still secret", "rev": 1}) // 5
	d.wantPosted("NoteEdited", 5)
	stale := say(d, "NoteEdited", map[string]any{"feedback_id": item, "message_id": note, "body": "late", "rev": 1})
	if e := d.want("MessageRejected"); e.Re != string(stale) || e.code() != models.CodeConflict {
		t.Errorf("a stale edit is answered %s", e.Data)
	}
	beside := h.dial("/dashboard")                                                                        // follows nothing
	gone := say(beside, "NoteDeleted", map[string]any{"feedback_id": item, "message_id": note, "rev": 2}) // 6
	accepted(beside, gone, note)
	d.wantPosted("NoteDeleted", 6)
	v.wantNothingDurable()

	// The same from the log: texts that were changed later are not told.
	again := h.dial("/dashboard")
	h.subscribe(again, map[string]any{"since": 0})
	again.wantPosted("MessagePosted", 2)
	for _, told := range []struct {
		kind string
		seq  int64
	}{{"NoteAdded", 3}, {"NoteEdited", 5}, {"NoteDeleted", 6}} {
		if p := again.wantPosted(told.kind, told.seq); p.Body != nil && *p.Body != "" {
			t.Errorf("the replay tells of a deleted note %+v", p)
		}
	}
}

// Whoever asks by whatever name: what is another's is not there.
func TestMessagesOfOthers(t *testing.T) {
	h := start(t, true)
	v, stranger, d := h.dial("/visitor"), h.dial("/visitor"), h.dial("/dashboard")
	item := v.submit()
	stranger.submit()
	other := models.NewID()
	for name, tc := range map[string]struct {
		c    *client
		kind string
		data map[string]any
		code models.Code
	}{
		"a stranger's item":    {stranger, "MessageSent", map[string]any{"feedback_id": item, "body": "x"}, models.CodeNotFound},
		"nobody's item":        {v, "MessageSent", map[string]any{"feedback_id": other, "body": "x"}, models.CodeNotFound},
		"nothing said":         {v, "MessageSent", map[string]any{"feedback_id": item, "body": " \n"}, models.CodeInvalidField},
		"a reply to nobody":    {d, "ReplySent", map[string]any{"feedback_id": other, "body": "x"}, models.CodeNotFound},
		"too much":             {d, "NoteAdded", map[string]any{"feedback_id": item, "body": strings.Repeat("x", 5001)}, models.CodeInvalidField},
		"no revision":          {d, "NoteDeleted", map[string]any{"feedback_id": item, "message_id": other, "rev": 0}, models.CodeInvalidField},
		"a note that is not":   {d, "NoteDeleted", map[string]any{"feedback_id": item, "message_id": other, "rev": 1}, models.CodeNotFound},
		"an empty note's text": {d, "NoteEdited", map[string]any{"feedback_id": item, "message_id": other, "rev": 1, "body": ""}, models.CodeInvalidField},
	} {
		id := string(models.NewID())
		tc.c.send(tc.kind, id, tc.data)
		if e := tc.c.want("MessageRejected"); e.Re != id || e.code() != tc.code {
			t.Errorf("%s: %s (re %s), want %s", name, e.Data, e.Re, tc.code)
		}
	}
}

func TestRepeatedMessage(t *testing.T) {
	h := start(t, true)
	v := h.dial("/visitor")
	item := v.submit()
	id := string(models.NewID())
	for range 3 {
		v.send("MessageSent", id, map[string]any{"feedback_id": item, "body": "once"})
		v.want("MessageAccepted")
	}
	v.send("MessageSent", id, map[string]any{"feedback_id": item, "body": "twice"})
	if e := v.want("MessageRejected"); e.code() != models.CodeIDConflict {
		t.Errorf("another message under the same id: %s", e.Data)
	}
	head, err := h.store.LogHead(t.Context(), h.scope, h.project.ID)
	if err != nil || head.Last != 2 {
		t.Errorf("the log ends at %d (%v), want 2", head.Last, err)
	}
}

// An answer that came while the visitor was away is there when they are back.
func TestReplyAfterAGap(t *testing.T) {
	h := start(t, true)
	token := models.NewResumeToken()
	v := h.hello(token, nil)
	item := v.submit() // 1
	_ = v.ws.Close()
	for body, visibility := range map[string]models.Visibility{"secret": models.VisibilityInternal, "answer": models.VisibilityPublic} {
		_, err := h.store.PostMessage(t.Context(), h.scope, models.NewMessage{
			ID: models.NewID(), FeedbackID: item, Visibility: visibility, Body: body,
			Author: models.Author{Kind: models.AuthorMember, UserID: h.claims.UserID, Name: "Ann"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	back := h.hello(token, map[string]any{"since": 1, "epoch": h.store.Epoch()})
	if e := back.want("ReplyPosted"); !strings.Contains(string(e.Data), `"body":"answer"`) {
		t.Errorf("got %s, want the answer", e.Data)
	}
	back.wantNothingDurable()
	if err := h.store.Erase(t.Context(), h.scope, item); err != nil {
		t.Fatal(err)
	}
	late := h.hello(token, map[string]any{"since": 0})
	late.want("Resumed")
	late.wantNothingDurable()
	d := h.dial("/dashboard")
	h.subscribe(d, map[string]any{"since": 0})
	for range 4 {
		d.want("FeedbackErased")
	}
}

func TestViewing(t *testing.T) {
	h := start(t, true)
	v, first, second := h.dial("/visitor"), h.dial("/dashboard"), h.dial("/dashboard")
	item := v.submit()
	h.subscribe(first, map[string]any{})
	h.subscribe(second, map[string]any{})
	second.want("PresenceState")
	turned := func(c *client) (diff protocol.PresenceDiff) {
		t.Helper()
		if err := json.Unmarshal(c.want("PresenceDiff").Data, &diff); err != nil {
			t.Fatal(err)
		}
		return diff
	}
	member := protocol.Member{UserID: h.claims.UserID, Name: "Ann"}
	viewing, typing := member, member
	viewing.FeedbackID, typing.FeedbackID, typing.Typing = item, item, true
	first.send("Viewing", "1", map[string]any{"feedback_id": item, "typing": false})
	if diff := turned(second); len(diff.Joined) != 1 || diff.Joined[0] != viewing || len(diff.Left) != 1 || diff.Left[0] != member || diff.Visitors != 1 {
		t.Errorf("opened: %+v", diff)
	}
	first.send("Viewing", "2", map[string]any{"feedback_id": item, "typing": true})
	if diff := turned(second); len(diff.Joined) != 1 || diff.Joined[0] != typing || diff.Left[0] != viewing {
		t.Errorf("typing: %+v", diff)
	}
	if e := v.want("AgentTyping"); e.Seq != 0 || string(e.Data) != fmt.Sprintf(`{"feedback_id":"%s"}`, item) {
		t.Errorf("the visitor is told %s", e.Data)
	}
	first.send("Viewing", "3", map[string]any{"feedback_id": models.NewID(), "typing": true})
	if e := first.want("Error"); e.Re != "3" || e.code() != models.CodeNotFound {
		t.Errorf("an item that is not there: %s", e.Data)
	}
	_ = first.ws.Close()
	if diff := turned(second); len(diff.Joined) != 1 || diff.Joined[0] != member || diff.Left[0] != typing {
		t.Errorf("gone: %+v", diff)
	}
	h.hub.mu.RLock()
	defer h.hub.mu.RUnlock()
	if members := h.hub.topics[h.project.ID].presence.members; len(members) != 1 || members[member] != 1 {
		t.Errorf("counted are %v, want one idle window", members)
	}
}

// The item of a message that is erased in between takes the message along.
func TestErasedConversation(t *testing.T) {
	h := start(t, true)
	v := h.dial("/visitor")
	item := v.submit()
	v.send("MessageSent", string(models.NewID()), map[string]any{"feedback_id": item, "body": "x"})
	v.want("MessageAccepted")
	if err := h.store.Erase(t.Context(), h.scope, item); err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Messages(t.Context(), h.scope, item, store.Page{Limit: 10}, "created_at"); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("messages of an erased item: %v", err)
	}
	v.send("MessageSent", string(models.NewID()), map[string]any{"feedback_id": item, "body": "y"})
	if e := v.want("MessageRejected"); e.code() != models.CodeNotFound {
		t.Errorf("a message to an erased item: %s", e.Data)
	}
}
