package api_test

import (
	"net/url"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	agent, viewer := member(t, s, owner, models.RoleAgent), member(t, s, owner, models.RoleViewer)
	path := "/api/v1/feedback/" + string(s.Submit(t, project, "hello").ID) + "/messages"
	id := models.NewID()
	run(t, agent, []call{
		{name: "none yet", method: get, path: path, status: 200},
		{name: "reply", method: post, path: path, body: map[string]any{"id": id, "body": " hi ", "visibility": "public"}, status: 201},
		{name: "again", method: post, path: path, body: map[string]any{"id": id, "body": "hi", "visibility": "public"}, status: 200},
		{name: "another under the id", method: post, path: path, body: map[string]any{"id": id, "body": "ho", "visibility": "public"}, status: 409, code: "id_conflict"},
		{name: "as a note under the id", method: post, path: path, body: map[string]any{"id": id, "body": "hi", "visibility": "internal"}, status: 409, code: "id_conflict"},
		{name: "nothing said", method: post, path: path, body: `{"body":"\n","visibility":"public"}`, status: 422, code: "invalid_field", field: "body"},
		{name: "longest", method: post, path: path, body: map[string]any{"body": strings.Repeat("\U0001F600", 5000), "visibility": "internal"}, status: 201},
		{name: "too long", method: post, path: path, body: map[string]any{"body": strings.Repeat("a", 5001), "visibility": "internal"}, status: 422, code: "invalid_field", field: "body"},
		{name: "no visibility", method: post, path: path, body: `{"body":"hi"}`, status: 422, code: "invalid_field", field: "visibility"},
		{name: "bad visibility", method: post, path: path, body: `{"body":"hi","visibility":"secret"}`, status: 422, code: "invalid_field", field: "visibility"},
		{name: "bad id", method: post, path: path, body: `{"id":"x","body":"hi","visibility":"public"}`, status: 422, code: "invalid_field", field: "id"},
		{name: "NUL", method: post, path: path, body: `{"body":"a\u0000","visibility":"public"}`, status: 422, code: "invalid_text", field: "body"},
		{name: "unknown field", method: post, path: path, body: `{"body":"hi","visibility":"public","author":"x"}`, status: 422, code: "invalid_field"},
		{name: "not there", method: post, path: "/api/v1/feedback/" + string(models.NewID()) + "/messages", body: `{"body":"hi","visibility":"public"}`, status: 404, code: "not_found"},
	})
	run(t, viewer, []call{
		{name: "viewers read", method: get, path: path, status: 200},
		{name: "and do not write", method: post, path: path, body: `{"body":"hi","visibility":"internal"}`, status: 403, code: "forbidden"},
	})
	var first, rest api.MessageList
	owner.Get(path+"?limit=1&count=true", 200).JSON(&first)
	if len(first.Items) != 1 || first.Items[0].Body != "hi" || first.Items[0].Author.Kind != models.AuthorMember || *first.Total != 2 || first.NextCursor == nil {
		t.Fatalf("first page = %+v", first)
	}
	owner.Get(path+"?limit=1&cursor="+url.QueryEscape(*first.NextCursor), 200).JSON(&rest)
	if len(rest.Items) != 1 || rest.Items[0].Visibility != models.VisibilityInternal || rest.NextCursor != nil {
		t.Errorf("last page = %+v", rest)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	agent := member(t, s, owner, models.RoleAgent)
	path := "/api/v1/feedback/" + string(s.Submit(t, project, "hello").ID) + "/messages"
	var note, reply api.Message
	agent.Post(path, `{"body":"note","visibility":"internal"}`, 201).JSON(&note)
	agent.Post(path, `{"body":"reply","visibility":"public"}`, 201).JSON(&reply)
	at, other := path+"/"+string(note.ID), path+"/"+string(reply.ID)
	run(t, agent, []call{
		{name: "edit", method: patch, path: at, body: `{"body":"better","rev":1}`, status: 200},
		{name: "edit a stale one", method: patch, path: at, body: `{"body":"late","rev":1}`, status: 409, code: "conflict"},
		{name: "to nothing", method: patch, path: at, body: `{"body":"","rev":2}`, status: 422, code: "invalid_field", field: "body"},
		{name: "no rev", method: patch, path: at, body: `{"body":"x"}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "delete a stale one", method: del, path: at + "?rev=1", status: 409, code: "conflict"},
		{name: "delete without rev", method: del, path: at, status: 422, code: "invalid_field", field: "rev"},
		{name: "a reply is read already", method: patch, path: other, body: `{"body":"x","rev":1}`, status: 404, code: "not_found"},
		{name: "and stays", method: del, path: other + "?rev=1", status: 404, code: "not_found"},
	})
	run(t, owner, []call{
		{name: "another's words are theirs", method: patch, path: at, body: `{"body":"x","rev":2}`, status: 403, code: "forbidden"},
		{name: "who manages deletes", method: del, path: at + "?rev=2", status: 204},
		{name: "once", method: del, path: at + "?rev=3", status: 404, code: "not_found"},
	})
	var list api.MessageList
	agent.Get(path, 200).JSON(&list)
	if len(list.Items) != 1 || list.Items[0].ID != reply.ID {
		t.Errorf("messages = %+v, want the reply alone", list.Items)
	}
}

// Whatever a visitor asks: a note is nowhere in the answer.
func TestConversationsOfAVisitor(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t, "https://shop.example")
	visitor, token := s.Client(t), models.NewResumeToken()
	path := "/w/" + project.Key
	body := submission("The total is wrong")
	body["resume_token"] = token
	var receipt api.Receipt
	visitor.Post(path+"/feedback", body, 201).JSON(&receipt)
	messages := "/api/v1/feedback/" + string(receipt.ID) + "/messages"
	owner.Post(messages, `{"body":"TOP SECRET","visibility":"internal"}`, 201)
	owner.Post(messages, `{"body":"It is mended.","visibility":"public"}`, 201)
	s.Submit(t, project, "a stranger's")
	bearer := []string{"Authorization", "Bearer " + token}
	var list api.ConversationList
	r := visitor.Do(get, path+"/conversations", nil, bearer...).Want(200)
	r.JSON(&list)
	if len(list.Items) != 1 || list.Items[0].ID != receipt.ID || list.Items[0].ReceiptURL != receipt.ReceiptURL || len(list.Items[0].Messages) != 1 ||
		list.Items[0].Messages[0].Body != "It is mended." || list.Items[0].Messages[0].Author != "staff" {
		t.Errorf("conversations = %s", r.Body)
	}
	polled := visitor.Do(post, path+"/poll", `{"since":0}`, bearer...).Want(200)
	if told := string(polled.Body); !strings.Contains(told, `"type":"ReplyPosted"`) || !strings.Contains(told, "It is mended.") {
		t.Errorf("polled %s, want the reply", told)
	}
	for name, answer := range map[string]*apitest.Response{
		"conversations": r, "poll": polled,
		"receipt": visitor.Get(strings.TrimPrefix(receipt.ReceiptURL, s.URL), 200),
		"export":  visitor.Get(strings.TrimPrefix(receipt.ReceiptURL, s.URL)+"/export", 200),
		"repeat":  visitor.Post(path+"/feedback", with("id", receipt.ID), 200),
	} {
		if strings.Contains(string(answer.Body), "SECRET") {
			t.Errorf("%s tells of a note: %s", name, answer.Body)
		}
	}
	run(t, visitor, []call{
		{name: "no token", method: get, path: path + "/conversations", status: 401, code: "unauthorized"},
		{name: "unknown token", method: get, path: path + "/conversations", headers: []string{"Authorization", "Bearer " + models.NewResumeToken()}, status: 401, code: "unauthorized"},
		{name: "foreign origin", method: get, path: path + "/conversations", headers: append([]string{"Origin", "https://evil.example"}, bearer...), status: 403, code: "forbidden"},
		{name: "bad cursor", method: get, path: path + "/conversations?cursor=x", headers: bearer, status: 400, code: "bad_request"},
		{name: "limit 0", method: get, path: path + "/conversations?limit=0", headers: bearer, status: 400, code: "bad_request"},
		{name: "an unknown field is ignored", method: get, path: path + "/conversations?ver=1", headers: bearer, status: 200},
	})
}
