package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func with(name string, value any) map[string]any {
	body := submission("The total is wrong")
	body[name] = value
	return body
}

func TestSubmissions(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	path := "/w/" + project.Key + "/feedback"
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	_, _ = z.Write([]byte(`{"page_url":"https://shop.example/","message":"x"}`))
	_ = z.Close()
	plain := []string{"Content-Type", "text/plain;charset=UTF-8"}
	big := `{"page_url":"https://shop.example/","message":"` + strings.Repeat("a", 256<<10) + `"}`
	run(t, s.Client(t), []call{
		{name: "json", method: post, path: path, body: submission("a"), status: 201},
		{name: "text/plain", method: post, path: path, body: submission("a"), headers: plain, status: 201},
		{name: "charset", method: post, path: path, body: submission("a"), headers: []string{"Content-Type", "application/json; charset=utf-8"}, status: 201},
		{name: "unknown query ignored", method: post, path: path + "?ver=6.1", body: submission("a"), status: 201},
		{name: "unknown field ignored", method: post, path: path, body: with("future", map[string]any{"a": 1}), status: 201},
		{name: "identity and proof ignored", method: post, path: path, body: with("proof", "x"), status: 201},
		{name: "null id", method: post, path: path, body: with("id", nil), status: 201},
		{name: "rating 5", method: post, path: path, body: with("rating", 5), status: 201},
		{name: "context", method: post, path: path, body: with("context", map[string]any{"a": []int{1}}), status: 201},
		{name: "no type", method: post, path: path, body: submission("a"), headers: []string{"Content-Type", ""}, status: 415, code: "unsupported_media"},
		{name: "form", method: post, path: path, body: "message=a", headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media"},
		{name: "form with a boundary", method: post, path: path, body: "{}", headers: []string{"Content-Type", "multipart/form-data; boundary=x"}, status: 415, code: "unsupported_media"},
		{name: "latin1", method: post, path: path, body: submission("a"), headers: []string{"Content-Type", "text/plain; charset=latin1"}, status: 415, code: "unsupported_media"},
		{name: "gzip", method: post, path: path, body: gz.Bytes(), headers: []string{"Content-Encoding", "gzip"}, status: 415, code: "unsupported_media"},
		{name: "identity encoding", method: post, path: path, body: submission("a"), headers: []string{"Content-Encoding", "identity"}, status: 415, code: "unsupported_media"},
		{name: "empty", method: post, path: path, body: "", status: 400, code: "bad_json"},
		{name: "not json", method: post, path: path, body: "{", status: 400, code: "bad_json"},
		{name: "trailing", method: post, path: path, body: `{} {}`, status: 400, code: "bad_json"},
		{name: "duplicate", method: post, path: path, body: `{"page_url":"https://a.example/","message":"a","message":"b"}`, status: 400, code: "bad_json"},
		{name: "duplicate by escape", method: post, path: path, body: `{"page_url":"https://a.example/","message":"a","mess\u0061ge":"b"}`, status: 400, code: "bad_json"},
		{name: "case variant", method: post, path: path, body: `{"page_url":"https://a.example/","Message":"a"}`, status: 400, code: "bad_json"},
		{name: "case variant of id", method: post, path: path, body: `{"ID":"x","page_url":"https://a.example/","message":"a"}`, status: 400, code: "bad_json"},
		{name: "lone surrogate", method: post, path: path, body: `{"page_url":"https://a.example/","message":"\ud800"}`, status: 422, code: "invalid_text"},
		{name: "NUL", method: post, path: path, body: `{"page_url":"https://a.example/","message":"a\u0000"}`, status: 422, code: "invalid_text"},
		{name: "bad UTF-8", method: post, path: path, body: []byte("{\"page_url\":\"https://a.example/\",\"message\":\"\xff\"}"), status: 422, code: "invalid_text"},
		{name: "deep", method: post, path: path, body: `{"page_url":"https://a.example/","message":"a","context":` + strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17) + "}", status: 400, code: "bad_json"},
		{name: "array", method: post, path: path, body: `[]`, status: 400, code: "bad_json"},
		{name: "null", method: post, path: path, body: `null`, status: 400, code: "bad_json"},
		{name: "no message", method: post, path: path, body: map[string]any{"page_url": "https://a.example/"}, status: 422, code: "invalid_field", field: "message"},
		{name: "blank message", method: post, path: path, body: submission("  \n"), status: 422, code: "invalid_field", field: "message"},
		{name: "message as number", method: post, path: path, body: with("message", 1), status: 422, code: "invalid_field", field: "message"},
		{name: "5000", method: post, path: path, body: submission(strings.Repeat("ü", 5000)), status: 201},
		{name: "5001", method: post, path: path, body: submission(strings.Repeat("ü", 5001)), status: 422, code: "invalid_field", field: "message"},
		{name: "javascript", method: post, path: path, body: with("page_url", "javascript:alert(1)"), status: 422, code: "invalid_field", field: "page_url"},
		{name: "long page_url", method: post, path: path, body: with("page_url", "https://a.example/"+strings.Repeat("a", 2048)), status: 422, code: "invalid_field", field: "page_url"},
		{name: "rating 0", method: post, path: path, body: with("rating", 0), status: 422, code: "invalid_field", field: "rating"},
		{name: "rating 6", method: post, path: path, body: with("rating", 6), status: 422, code: "invalid_field", field: "rating"},
		{name: "rating 1.5", method: post, path: path, body: with("rating", 1.5), status: 422, code: "invalid_field", field: "rating"},
		{name: "kind", method: post, path: path, body: with("kind", "rant"), status: 422, code: "invalid_field", field: "kind"},
		{name: "email", method: post, path: path, body: with("email", "nobody"), status: 422, code: "invalid_field", field: "email"},
		{name: "context array", method: post, path: path, body: with("context", []int{1}), status: 422, code: "invalid_field", field: "context"},
		{name: "id", method: post, path: path, body: with("id", "x"), status: 422, code: "invalid_field", field: "id"},
		{name: "empty id", method: post, path: path, body: with("id", ""), status: 422, code: "invalid_field", field: "id"},
		{name: "upper-case id", method: post, path: path, body: with("id", strings.ToUpper(string(models.NewID()))), status: 422, code: "invalid_field", field: "id"},
		{name: "UUIDv4", method: post, path: path, body: with("id", "9b2f5c1e-6d0a-4f5e-8c7b-1a2b3c4d5e6f"), status: 422, code: "invalid_field", field: "id"},
		{name: "resume token", method: post, path: path, body: with("resume_token", "hunter2"), status: 422, code: "invalid_field", field: "resume_token"},
		{name: "empty resume token", method: post, path: path, body: with("resume_token", ""), status: 422, code: "invalid_field", field: "resume_token"},
		{name: "attachment", method: post, path: path, body: with("attachment_ids", []string{string(models.NewID())}), status: 422, code: "invalid_field"},
		{name: "past 256 KiB", method: post, path: path, body: big, status: 413, code: "too_large"},
		{name: "credential in query", method: post, path: path + "?resume_token=" + models.NewToken(), body: submission("a"), status: 400, code: "bad_request"},
		{name: "credential spelled otherwise", method: post, path: path + "?Access-Token=x", body: submission("a"), status: 400, code: "bad_request"},
		{name: "unknown key", method: post, path: "/w/" + models.NewProjectKey() + "/feedback", body: submission("a"), status: 404, code: "not_found"},
		{name: "malformed key", method: post, path: "/w/pk_x/feedback", body: submission("a"), status: 404, code: "not_found"},
		{name: "GET", method: get, path: path, status: 405, code: "method_not_allowed"},
		{name: "PROPFIND", method: "PROPFIND", path: path, status: 405, code: "method_not_allowed"},
	})
	t.Run("disabled key", func(t *testing.T) {
		owner.Patch("/api/v1/projects/"+string(project.ID), map[string]any{"key_disabled": true}, 200)
		s.Client(t).Post(path, submission("a"), 404)
		s.Client(t).Get("/w/"+project.Key+".js", 404)
		owner.Patch("/api/v1/projects/"+string(project.ID), map[string]any{"key_disabled": false}, 200)
		s.Client(t).Post(path, submission("a"), 201)
	})
}

func TestBodyPastTheServersLimit(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	_, project := s.Project(t, "https://shop.example")
	body := `{"page_url":"https://shop.example/","message":"` + strings.Repeat("a", 3<<20) + `"}`
	r := s.Client(t).Do(post, "/w/"+project.Key+"/feedback", body, "Origin", "https://shop.example").Want(413)
	if p := r.Problem(); p.Code != models.CodeTooLarge {
		t.Errorf("code = %q, want too_large", p.Code)
	}
	wantHeader(t, r, "Access-Control-Allow-Origin", "https://shop.example")
	answer := chunked(t, s, "/w/"+project.Key+"/feedback", body)
	if answer.StatusCode != http.StatusRequestEntityTooLarge || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("in chunks: %s, %v", answer.Status, answer.Header)
	}
	refused := s.Client(t).Do(post, "/w/"+project.Key+"/feedback", "{}", "Origin", "https://shop.example", "X-Long", strings.Repeat("a", 20<<10)).Want(431)
	if p := refused.Problem(); p.Code != models.CodeTooLarge || p.Status != 431 {
		t.Errorf("problem = %+v, want too_large with 431", p)
	}
	if refused.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Error("the page cannot read the 431")
	}
}

// chunked sends a body whose length is not said beforehand, all of it before it
// looks for an answer.
func chunked(t *testing.T, s *apitest.Server, path, body string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", path, len(body), body)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	_ = response.Body.Close()
	return response
}

func TestRepeatedSubmission(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	_, other := s.Project(t)
	visitor := s.Client(t)
	path := "/w/" + project.Key + "/feedback"
	token := models.NewToken()
	body := with("id", models.NewID())
	body["resume_token"] = token
	var first, again, foreign api.Receipt
	visitor.Post(path, body, 201).JSON(&first)
	if first.ID != body["id"] || first.ReceiptURL == "" || first.ResumeToken != "" {
		t.Errorf("first = %+v, want id, receipt and no token", first)
	}
	visitor.Post(path, body, 200).JSON(&again)
	if again != first {
		t.Errorf("again = %+v, want %+v", again, first)
	}
	delete(body, "resume_token")
	visitor.Post(path, body, 200).JSON(&foreign)
	if foreign != (api.Receipt{ID: first.ID}) {
		t.Errorf("without the token = %+v, want the id alone", foreign)
	}
	visitor.Post("/w/"+other.Key+"/feedback", body, 409)
	body["message"] = "  The total is wrong  "
	visitor.Post(path, body, 200)
	body["message"] = "Another text"
	if p := visitor.Post(path, body, 409).Problem(); p.Code != models.CodeIDConflict {
		t.Errorf("code = %q, want id_conflict", p.Code)
	}
	var list api.FeedbackList
	owner.Get("/api/v1/projects/"+string(project.ID)+"/feedback", 200).JSON(&list)
	if len(list.Items) != 1 {
		t.Errorf("items = %d, want 1", len(list.Items))
	}
}

func TestSubmissionLimit(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	_, project := s.Project(t, "https://shop.example")
	body := with("resume_token", models.NewToken())
	for range 6 {
		s.Client(t).Post("/w/"+project.Key+"/feedback", body, 201)
	}
	r := s.Client(t).Do(post, "/w/"+project.Key+"/feedback", body, "Origin", "https://shop.example").Want(429)
	if r.Header.Get("Retry-After") == "" || r.Problem().Code != models.CodeRateLimited {
		t.Errorf("answer = %v %s, want Retry-After and rate_limited", r.Header, r.Body)
	}
	wantHeader(t, r, "Access-Control-Allow-Origin", "https://shop.example")
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	_, closed := s.Project(t, "https://shop.example", "https://*.shop.example", "http://localhost:*")
	_, open := s.Project(t)
	for _, row := range []struct {
		project api.Project
		origin  string
		status  int
		allow   string
	}{
		{closed, "https://shop.example", 201, "https://shop.example"},
		{closed, "https://SHOP.example:443", 201, "https://SHOP.example:443"},
		{closed, "https://www.shop.example", 201, "https://www.shop.example"},
		{closed, "http://localhost:3000", 201, "http://localhost:3000"},
		{closed, "", 201, ""},
		{closed, "http://shop.example", 403, ""},
		{closed, "https://evilshop.example", 403, ""},
		{closed, "https://shop.example.evil.example", 403, ""},
		{closed, "https://shop.example:8443", 403, ""},
		{closed, "null", 403, ""},
		{closed, "nonsense", 403, ""},
		{open, "https://anywhere.example", 201, "https://anywhere.example"},
		{open, "null", 201, "null"},
	} {
		t.Run(row.origin, func(t *testing.T) {
			path := "/w/" + row.project.Key + "/feedback"
			r := s.Client(t).Do(post, path, submission("a"), "Origin", row.origin).Want(row.status)
			wantHeader(t, r, "Access-Control-Allow-Origin", row.allow)
			wantHeader(t, r, "Access-Control-Allow-Credentials", "")
			wantVary(t, r, "Origin")
			if row.origin == "" {
				return
			}
			r = s.Client(t).Do(http.MethodOptions, path, nil, "Origin", row.origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
			want := 204
			if row.status == 403 {
				want = 403
			}
			r.Want(want)
			wantHeader(t, r, "Access-Control-Allow-Origin", row.allow)
			wantVary(t, r, "Origin")
			if want == 204 {
				wantHeader(t, r, "Access-Control-Allow-Methods", "POST")
				wantHeader(t, r, "Access-Control-Allow-Headers", "Content-Type, Traceparent, Tracestate")
			}
			if r := s.Client(t).Do(get, "/w/"+row.project.Key+"/config.json", nil, "Origin", row.origin); (r.Status == 200) != (row.status == 201) {
				t.Errorf("config.json = %d", r.Status)
			}
		})
	}
	t.Run("refusals are readable too", func(t *testing.T) {
		path := "/w/" + closed.Key + "/feedback"
		for _, r := range []*apitest.Response{
			s.Client(t).Do(post, path, "{", "Origin", "https://shop.example").Want(400),
			s.Client(t).Do(post, path, submission("a"), "Origin", "https://shop.example", "Content-Encoding", "br").Want(415),
			s.Client(t).Do(get, path, nil, "Origin", "https://shop.example").Want(405),
		} {
			wantHeader(t, r, "Access-Control-Allow-Origin", "https://shop.example")
		}
		r := s.Client(t).Do(get, path, nil).Want(405)
		if allow := r.Header.Values("Allow"); !strings.Contains(strings.Join(allow, ","), "POST") {
			t.Errorf("Allow = %q, want POST", allow)
		}
	})
}

func TestWidgetFiles(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t, "https://shop.example")
	script := "/w/" + project.Key + ".js"
	for _, encoding := range []string{"br", "gzip", ""} {
		r := s.Client(t).Do(get, script, nil, "Accept-Encoding", "identity;q=0.5, "+encoding, "Accept-Language", "de-AT,en;q=0.5").Want(200)
		wantHeader(t, r, "Content-Encoding", encoding)
		wantHeader(t, r, "Cache-Control", "public, max-age=300, stale-while-revalidate=86400")
		wantHeader(t, r, "Access-Control-Allow-Origin", "*")
		wantHeader(t, r, "Cross-Origin-Resource-Policy", "cross-origin")
		wantHeader(t, r, "Timing-Allow-Origin", "*")
		wantHeader(t, r, "Content-Type", "text/javascript; charset=utf-8")
		wantVary(t, r, "Accept-Language")
		wantVary(t, r, "Accept-Encoding")
		tag := r.Header.Get("ETag")
		if !strings.HasPrefix(tag, `"`) {
			t.Errorf("ETag = %q, want a strong one", tag)
		}
		s.Client(t).Do(get, script, nil, "Accept-Encoding", encoding+",x", "Accept-Language", "de", "If-None-Match", `"other", `+tag).Want(304)
		if encoding == "" && !bytes.Contains(r.Body, []byte(project.Key)) {
			t.Error("the script does not have the project's key")
		}
	}
	head := s.Client(t).Do(http.MethodHead, script, nil).Want(200)
	if len(head.Body) != 0 || head.Header.Get("ETag") == "" {
		t.Errorf("HEAD: body of %d bytes, ETag %q", len(head.Body), head.Header.Get("ETag"))
	}
	before := s.Client(t).Do(get, script, nil, "Accept-Encoding", "x").Header.Get("ETag")
	owner.Patch("/api/v1/projects/"+string(project.ID), map[string]any{"settings": map[string]any{"accent": "#123456"}}, 200)
	if after := s.Client(t).Do(get, script, nil, "Accept-Encoding", "x"); after.Header.Get("ETag") == before || !bytes.Contains(after.Body, []byte("#123456")) {
		t.Error("the script is not the changed project's")
	}
	var config map[string]any
	s.Client(t).Get("/w/"+project.Key+"/config.json", 200).JSON(&config)
	for _, name := range []string{"key", "api", "version", "name", "accent", "theme", "position", "kinds", "rating", "ask_email", "locale", "texts", "show_drafts", "trigger", "strings"} {
		if _, ok := config[name]; !ok {
			t.Errorf("config.json lacks %q", name)
		}
	}
	version, _ := config["version"].(string)
	run(t, s.Client(t), []call{
		{name: "pinned", method: get, path: "/w/v/" + version + "/core.js", status: 200},
		{name: "conversations", method: get, path: "/w/v/" + version + "/talk.js", status: 200},
		{name: "german", method: get, path: "/w/v/" + version + "/de.json", status: 200},
		{name: "no such language", method: get, path: "/w/v/" + version + "/xx.json", status: 404, code: "not_found"},
		{name: "no such file", method: get, path: "/w/v/" + version + "/other.js", status: 404, code: "not_found"},
		{name: "no such version", method: get, path: "/w/v/0000/core.js", status: 404, code: "not_found"},
		{name: "unknown key", method: get, path: "/w/" + models.NewProjectKey() + ".js", status: 404, code: "not_found"},
		{name: "malformed key", method: get, path: "/w/x.js", status: 404, code: "not_found"},
		{name: "no suffix", method: get, path: "/w/" + project.Key, status: 404, code: "not_found"},
		{name: "version of a cms", method: get, path: script + "?ver=1", status: 200},
	})
	if !json.Valid(s.Client(t).Get("/w/v/"+version+"/de.json", 200).Body) {
		t.Error("the German strings are not JSON")
	}
	for _, name := range []string{"core.js", "live.js", "mend.js", "shot.js", "talk.js"} {
		file := s.Client(t).Get("/w/v/"+version+"/"+name, 200)
		wantHeader(t, file, "Cache-Control", "public, max-age=31536000, immutable")
		wantHeader(t, file, "Content-Type", "text/javascript; charset=utf-8")
		wantHeader(t, file, "Access-Control-Allow-Origin", "*")
	}
}
