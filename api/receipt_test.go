package api_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestReceipt(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	receipt := s.Submit(t, project, `<script>alert("x")</script>`)
	path := strings.TrimPrefix(receipt.ReceiptURL, s.URL)
	r := s.Client(t).Get(path, 200)
	if !bytes.Contains(r.Body, []byte("&lt;script&gt;")) || bytes.Contains(r.Body, []byte("<script>")) || !bytes.Contains(r.Body, []byte("Received")) {
		t.Errorf("page = %s, want the text escaped, and the status", r.Body)
	}
	wantHeader(t, r, "Referrer-Policy", "no-referrer")
	wantHeader(t, r, "Cache-Control", "no-store")
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(r.Header.Get("X-Robots-Tag"), "noindex") || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("headers = %v, want noindex and a strict policy", r.Header)
	}
	s.Client(t).Get("/r/live.js", 200)
	forged := path[:len(path)-4] + "AAAA"
	for _, below := range []string{"", "/export"} {
		s.Client(t).Get(forged+below, 404)
	}
	for _, below := range []string{"/messages", "/erase"} {
		s.Client(t).Do(post, forged+below, `{"body":"x"}`).Want(404)
	}
	s.Client(t).Get("/r/x", 404)
	if html := s.Client(t).Do(get, "/r/x", nil, "Accept", "text/html").Want(404); !strings.HasPrefix(html.Header.Get("Content-Type"), "text/html") {
		t.Errorf("a browser gets %q, want a page", html.Header.Get("Content-Type"))
	}
	owner.Delete("/api/v1/feedback/" + string(receipt.ID))
	s.Client(t).Get(path, 404)
}

func TestWritingBackByReceipt(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	receipt := s.Submit(t, project, "The total is wrong")
	path := strings.TrimPrefix(receipt.ReceiptURL, s.URL)
	visitor := s.Client(t)
	id := models.NewID()
	var sent api.Posted
	visitor.Post(path+"/messages", map[string]any{"id": id, "body": " Any news? "}, 201).JSON(&sent)
	if sent.ID != id {
		t.Errorf("answered %+v, want the id that was sent", sent)
	}
	visitor.Post(path+"/messages", map[string]any{"id": id, "body": "Any news?"}, 200)
	run(t, visitor, []call{
		{name: "another under the id", method: post, path: path + "/messages", body: map[string]any{"id": id, "body": "other"}, status: 409, code: "id_conflict"},
		{name: "nothing said", method: post, path: path + "/messages", body: `{"body":" "}`, status: 422, code: "invalid_field", field: "body"},
		{name: "no body", method: post, path: path + "/messages", body: `{}`, status: 422, code: "invalid_field", field: "body"},
		{name: "as XML", method: post, path: path + "/messages", body: `<x/>`, headers: []string{"Content-Type", "text/xml"}, status: 415, code: "unsupported_media"},
	})
	lines := models.NewID()
	visitor.Post(path+"/messages", map[string]any{"id": lines, "body": "two\nlines"}, 201)
	byForm := url.Values{"id": {string(lines)}, "body": {"two\r\nlines"}}.Encode() // as forms send it
	visitor.Do(post, path+"/messages", byForm, "Content-Type", "application/x-www-form-urlencoded").Want(303)
	long := url.Values{"body": {strings.Repeat("word ", 1100)}}.Encode()
	if r := visitor.Do(post, path+"/messages", long, "Content-Type", "application/x-www-form-urlencoded").Want(422); !bytes.Contains(r.Body, []byte("word word")) || !bytes.Contains(r.Body, []byte(`role="alert"`)) {
		t.Errorf("a refused form loses what was written: %s", r.Body)
	}
	form := url.Values{"id": {string(models.NewID())}, "body": {"<b>By the form</b>"}}.Encode()
	r := visitor.Do(post, path+"/messages", form, "Content-Type", "application/x-www-form-urlencoded").Want(303)
	if to := r.Header.Get("Location"); to != path+"#reply" {
		t.Errorf("the form leads to %q", to)
	}
	owner.Post("/api/v1/feedback/"+string(receipt.ID)+"/messages", `{"body":"It is mended.","visibility":"public"}`, 201)
	owner.Post("/api/v1/feedback/"+string(receipt.ID)+"/messages", `{"body":"TOP SECRET","visibility":"internal"}`, 201)
	page := string(visitor.Get(path, 200).Body)
	for _, want := range []string{"Any news?", "&lt;b&gt;By the form&lt;/b&gt;", "It is mended."} {
		if strings.Count(page, want) != 1 {
			t.Errorf("the page has %q %d times, want once", want, strings.Count(page, want))
		}
	}
	var export api.ReceiptExport
	r = visitor.Get(path+"/export", 200)
	if err := json.Unmarshal(r.Body, &export); err != nil || export.ID != receipt.ID || len(export.Messages) != 4 || export.Messages[3].Author != "staff" {
		t.Errorf("export = %s (%v)", r.Body, err)
	}
	if !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") || strings.Contains(page+string(r.Body), "TOP SECRET") {
		t.Errorf("a note is in the page or the export, or the export is no download: %v", r.Header)
	}
}

func TestErasingByReceipt(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	for name, accept := range map[string]string{"a program": "*/*", "a browser": "text/html"} {
		receipt := s.Submit(t, project, "Forget me")
		path := strings.TrimPrefix(receipt.ReceiptURL, s.URL)
		visitor := s.Client(t)
		if page := visitor.Do(get, path+"?erase", nil, "Accept", "text/html").Want(200); !bytes.Contains(page.Body, []byte("Erase for good")) {
			t.Errorf("the page does not ask first: %s", page.Body)
		}
		owner.Get("/api/v1/feedback/"+string(receipt.ID), 200)
		want := 204
		if accept == "text/html" {
			want = 200
		}
		visitor.Do(post, path+"/erase", nil, "Accept", accept).Want(want)
		visitor.Get(path, 404)
		owner.Get("/api/v1/feedback/"+string(receipt.ID), 404)
		if visitor.Do(post, path+"/erase", nil).Want(404); t.Failed() {
			t.Log(name)
		}
	}
}

// Whoever got hold of an address gets nowhere with it once it was changed.
func TestRevokingReceipts(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	viewer, foreign := member(t, s, owner, models.RoleViewer), stranger(t, s)
	receipt := s.Submit(t, project, "Between us")
	old := strings.TrimPrefix(receipt.ReceiptURL, s.URL)
	visitor := s.Client(t)
	if page := visitor.Do(get, old+"?renew", nil, "Accept", "text/html").Want(200); !bytes.Contains(page.Body, []byte("Change the address of this page?")) ||
		!bytes.Contains(page.Body, []byte("/renew")) {
		t.Errorf("the page does not ask first: %s", page.Body)
	}
	visitor.Get(old, 200)
	r := visitor.Do(post, old+"/renew", nil, "Accept", "text/html").Want(303)
	renewed := strings.TrimPrefix(r.Header.Get("Location"), s.URL)
	if !bytes.Contains(visitor.Get(renewed, 200).Body, []byte("new address")) {
		t.Error("the new page does not say that it is")
	}
	var answer api.RenewedReceipt
	renewed, _, _ = strings.Cut(renewed, "?")
	visitor.Do(post, renewed+"/renew", nil).Want(200).JSON(&answer)
	last := strings.TrimPrefix(answer.ReceiptURL, s.URL)
	feedback := "/api/v1/feedback/" + string(receipt.ID)
	viewer.Do("DELETE", feedback+"/receipt", nil).Want(403)
	foreign.Do("DELETE", feedback+"/receipt", nil).Want(404)
	visitor.Get(last, 200)
	owner.Delete(feedback + "/receipt")
	for _, ended := range []string{old, renewed, last} {
		run(t, visitor, []call{
			{name: "read", method: get, path: ended, status: 404, code: "not_found"},
			{name: "export", method: get, path: ended + "/export", status: 404, code: "not_found"},
			{name: "write", method: post, path: ended + "/messages", body: `{"body":"x"}`, status: 404, code: "not_found"},
			{name: "renew", method: post, path: ended + "/renew", status: 404, code: "not_found"},
			{name: "erase", method: post, path: ended + "/erase", status: 404, code: "not_found"},
		})
	}
	owner.Get(feedback, 200)
}
