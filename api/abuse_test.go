package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/challenge"
)

// hasty is a submission that speaks against itself, by a client that can answer
// challenges.
func hasty(message string) map[string]any {
	body := submission(message)
	body["id"], body["proof"], body["elapsed_ms"] = models.NewID(), "", 10
	return body
}

func solve(t *testing.T, client *apitest.Client, project api.Project) string {
	t.Helper()
	var asked api.Challenge
	client.Get("/w/"+project.Key+"/challenge", 200).JSON(&asked)
	return challenge.Solve(asked.Challenge, asked.Difficulty)
}

func inbox(t *testing.T, client *apitest.Client, project api.Project, query string) []api.Feedback {
	t.Helper()
	var list api.FeedbackList
	client.Get("/api/v1/projects/"+string(project.ID)+"/feedback"+query, 200).JSON(&list)
	return list.Items
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t, "https://shop.example")
	_, other := s.Project(t)
	visitor, path := s.Client(t), "/w/"+project.Key+"/feedback"
	r := visitor.Do(get, "/w/"+project.Key+"/challenge", nil, "Origin", "https://shop.example").Want(200)
	wantHeader(t, r, "Access-Control-Allow-Origin", "https://shop.example")
	wantHeader(t, r, "Cache-Control", "no-store")
	r = visitor.Do(http.MethodOptions, "/w/"+project.Key+"/challenge", nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "GET").Want(204)
	wantHeader(t, r, "Access-Control-Allow-Methods", "GET")

	body := hasty("The total is wrong")
	for _, tc := range []struct{ name, proof, detail string }{
		{"none", "", "needs a proof of work"},
		{"junk", "a:b", "not one that this server gave out"},
		{"another project's", solve(t, visitor, other), "another project's"},
	} {
		body["proof"] = tc.proof
		if p := visitor.Post(path, body, 403).Problem(); p.Code != models.CodeChallengeRequired || !strings.Contains(p.Detail, tc.detail) {
			t.Errorf("%s: %+v, want challenge_required that says %q", tc.name, p, tc.detail)
		}
	}
	proof := solve(t, visitor, project)
	body["proof"] = proof
	visitor.Post(path, body, 201)
	visitor.Post(path, body, 200)
	body["proof"] = ""
	visitor.Post(path, body, 200)
	second := hasty("Another")
	second["proof"] = proof
	if p := visitor.Post(path, second, 403).Problem(); !strings.Contains(p.Detail, "used before") {
		t.Errorf("the same proof once more: %+v", p)
	}
	if items := inbox(t, owner, project, ""); len(items) != 1 || items[0].Quarantined || len(items[0].QuarantineReasons) > 0 {
		t.Errorf("the inbox has %+v, want the one that was proved", items)
	}
	run(t, visitor, []call{
		{name: "foreign origin", method: get, path: "/w/" + project.Key + "/challenge", headers: []string{"Origin", "https://other.example"}, status: 403, code: "forbidden"},
		{name: "unknown key", method: get, path: "/w/" + models.NewProjectKey() + "/challenge", status: 404, code: "not_found"},
		{name: "proof as number", method: post, path: path, body: with("proof", 7), status: 422, code: "invalid_field", field: "proof"},
	})
}

// A release is there for everybody: in the list, with its reasons, and in the log.
func TestReleaseFromQuarantine(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	viewer, agent := member(t, s, owner, models.RoleViewer), member(t, s, owner, models.RoleAgent)
	body := submission("Buy")
	body["website"] = "https://spam.example"
	s.Client(t).Post("/w/"+project.Key+"/feedback", body, 201)
	if items := inbox(t, agent, project, ""); len(items) != 0 {
		t.Fatalf("the inbox has %+v", items)
	}
	held := inbox(t, agent, project, "?quarantined=true")
	if len(held) != 1 || !held[0].Quarantined || !slices.Equal(held[0].QuarantineReasons, []string{"A field that people cannot see was filled in."}) {
		t.Fatalf("the quarantine has %+v", held)
	}
	var summary api.QuarantineSummary
	summaryPath := "/api/v1/projects/" + string(project.ID) + "/quarantine/summary"
	viewer.Get(summaryPath, 200).JSON(&summary)
	want := api.QuarantinePeriod{Total: 1, Reasons: []api.QuarantineReason{{Reason: held[0].QuarantineReasons[0], Count: 1}}}
	for name, got := range map[string]api.QuarantinePeriod{"day": summary.Day, "week": summary.Week} {
		if got.Total != want.Total || !slices.Equal(got.Reasons, want.Reasons) {
			t.Errorf("the summary of the %s is %+v, want %+v", name, got, want)
		}
	}
	one := "/api/v1/feedback/" + string(held[0].ID)
	run(t, viewer, []call{{name: "by a viewer", method: patch, path: one, body: `{"quarantined":false,"rev":1}`, status: 403, code: "forbidden"}})
	run(t, stranger(t, s), []call{
		{name: "by a stranger", method: patch, path: one, body: `{"quarantined":false,"rev":1}`, status: 404, code: "not_found"},
		{name: "a stranger's summary", method: get, path: summaryPath, status: 404, code: "not_found"},
	})
	run(t, agent, []call{{name: "stale", method: patch, path: one, body: `{"quarantined":false,"rev":9}`, status: 409, code: "conflict"}})
	var item api.Feedback
	if agent.Patch(one, `{"quarantined":false,"rev":1}`, 200).JSON(&item); item.Quarantined || item.Rev != 2 || len(item.QuarantineReasons) != 1 {
		t.Errorf("released it is %+v", item)
	}
	if items := inbox(t, owner, project, "?unread=true"); len(items) != 1 || len(inbox(t, owner, project, "?quarantined=true")) != 0 {
		t.Errorf("the inbox has %+v unread", items)
	}
	var log struct {
		Events []struct {
			Type string
			Data struct {
				Changes json.RawMessage
				By      models.Actor
			}
		}
	}
	owner.Get("/api/v1/projects/"+string(project.ID)+"/events?since=0", 200).JSON(&log)
	if n := len(log.Events); n != 2 || string(log.Events[1].Data.Changes) != `{"quarantined":false}` || log.Events[1].Data.By.Name != "agent" {
		t.Errorf("the log tells %+v", log)
	}
	var answer api.BulkAnswer
	bulk := map[string]any{"items": []any{map[string]any{"id": held[0].ID, "changes": map[string]any{"quarantined": true}}}}
	agent.Post("/api/v1/projects/"+string(project.ID)+"/feedback/bulk", bulk, 200).JSON(&answer)
	if got := answer.Items[0]; got.Outcome != "changed" || !got.Item.Quarantined || got.Before.Quarantined == nil || *got.Before.Quarantined {
		t.Errorf("in bulk: %+v", got)
	}
	if items := inbox(t, owner, project, ""); len(items) != 0 {
		t.Errorf("held back again the inbox has %+v", items)
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	agent, viewer := member(t, s, owner, models.RoleAgent), member(t, s, owner, models.RoleViewer)
	path, submit := "/api/v1/projects/"+string(project.ID)+"/blocks", "/w/"+project.Key+"/feedback"
	first := with("resume_token", models.NewToken())
	var sent api.Receipt
	s.Client(t).Post(submit, first, 201).JSON(&sent)
	elsewhere := s.Submit(t, owner.Project(), "In another project")
	reasons := func(body map[string]any) string {
		t.Helper()
		var sent api.Receipt
		var item api.Feedback
		s.Client(t).Post(submit, body, 201).JSON(&sent)
		owner.Get("/api/v1/feedback/"+string(sent.ID), 200).JSON(&item)
		return strings.Join(item.QuarantineReasons, "|")
	}
	for _, tc := range []struct {
		name, label, want string
		block, body       map[string]any
	}{
		{"a word", "Watches", "Staff blocked the word “Watches”.", map[string]any{"kind": "word", "word": " Watches ", "note": "again"}, submission("Cheap WATCHES")},
		{"an item's session", "", "The sender's session is blocked by staff.", map[string]any{"kind": "session", "feedback_id": sent.ID}, first},
		{"an item's address", "the scraper", "The sender's address is blocked by staff.", map[string]any{"kind": "address", "feedback_id": sent.ID, "label": "the scraper"}, submission("Hello")},
		{"an address", "", "The sender's address is blocked by staff.", map[string]any{"kind": "address", "address": "127.0.0.1"}, submission("Hello")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := reasons(tc.body); got != "" {
				t.Fatalf("held back for %q before", got)
			}
			var made, again api.Block
			owner.Post(path, tc.block, 201).JSON(&made)
			if tc.label != "" && made.Label != tc.label || string(made.Kind) != tc.block["kind"] || made.ExpiresAt != nil || made.CreatedBy == "" {
				t.Errorf("made %+v", made)
			}
			if got := reasons(tc.body); got != tc.want {
				t.Errorf("held back for %q, want %q", got, tc.want)
			}
			if p := owner.Post(path, tc.block, 409).Problem(); p.Code != models.CodeConflict {
				t.Errorf("once more: %+v", p)
			}
			var list api.BlockList
			if agent.Get(path+"?count=true", 200).JSON(&list); len(list.Items) != 1 || *list.Total != 1 || list.Items[0] != made {
				t.Errorf("listed %+v", list)
			}
			run(t, agent, []call{{name: "lifted by an agent", method: del, path: "/api/v1/blocks/" + string(made.ID), status: 403, code: "forbidden"}})
			owner.Delete("/api/v1/blocks/" + string(made.ID))
			owner.Do(del, "/api/v1/blocks/"+string(made.ID), nil).Want(404)
			if got := reasons(tc.body); got != "" {
				t.Errorf("held back for %q afterwards", got)
			}
			owner.Post(path, tc.block, 201).JSON(&again)
			owner.Delete("/api/v1/blocks/" + string(again.ID))
		})
	}
	run(t, owner, []call{
		{name: "no kind", method: post, path: path, body: `{"kind":"country"}`, status: 422, code: "invalid_field"},
		{name: "a short word", method: post, path: path, body: `{"kind":"word","word":"ab"}`, status: 422, code: "invalid_field", field: "word"},
		{name: "a network", method: post, path: path, body: `{"kind":"address","address":"10.0.0.0/8"}`, status: 422, code: "invalid_field", field: "address"},
		{name: "no session", method: post, path: path, body: `{"kind":"session"}`, status: 422, code: "invalid_field", field: "session_id"},
		{name: "an unknown session", method: post, path: path, body: map[string]any{"kind": "session", "session_id": models.NewID()}, status: 422, code: "invalid_field", field: "session_id"},
		{name: "an item of another project", method: post, path: path, body: map[string]any{"kind": "address", "feedback_id": elsewhere.ID}, status: 404, code: "not_found"},
		{name: "in the past", method: post, path: path, body: `{"kind":"word","word":"abc","expires_at":"2001-01-01T00:00:00Z"}`, status: 422, code: "invalid_field", field: "expires_at"},
	})
	run(t, agent, []call{{name: "by an agent", method: post, path: path, body: `{"kind":"word","word":"abc"}`, status: 403, code: "forbidden"}})
	run(t, viewer, []call{{name: "read by a viewer", method: get, path: path, status: 403, code: "forbidden"}})
	run(t, stranger(t, s), []call{
		{name: "by a stranger", method: post, path: path, body: `{"kind":"word","word":"abc"}`, status: 404, code: "not_found"},
		{name: "read by a stranger", method: get, path: path, status: 404, code: "not_found"},
	})
}
