package store

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"earshot/models"
)

// FuzzCursor goes on in lists of a real store from any cursor: what it is not is
// refused, and what it is leads nowhere beyond the walls.
func FuzzCursor(f *testing.F) {
	s := openTest(f, nil)
	scope, p := newProject(f, s)
	other, q := newProject(f, s)
	for range 3 {
		mustSubmit(f, s, newFeedback(p, "ours"))
		mustSubmit(f, s, newFeedback(q, "theirs"))
	}
	theirs, err := s.FeedbackList(f.Context(), other, q.ID, Filter{}, Page{Limit: 1})
	if err != nil {
		f.Fatal(err)
	}
	sorts := []string{"-created_at", "created_at", "updated_at", "-rating", "priority"}
	for i := range sorts {
		f.Add(theirs.NextCursor, "", int64(0), "", int64(0), int64(0), i)
		f.Add("", "feedback created_atDESC", int64(1)<<62, string(q.ID), int64(-1), int64(1)<<40, i)
	}
	f.Add("%%%", "projects", int64(-1), "'; DROP TABLE feedback; --", int64(1), int64(1), 0)
	f.Fuzz(func(t *testing.T, raw, list string, value int64, id string, created, n int64, sort int) {
		texts := []string{raw, cursor{List: list, Value: value, ID: models.ID(id), Created: created, N: n}.encode()}
		for _, text := range texts {
			if c, err := decodeCursor(text, list); err == nil && c != nil {
				if again, err := decodeCursor(c.encode(), list); err != nil || *again != *c {
					t.Fatalf("%+v comes back as %+v, %v", c, again, err)
				}
			}
			page := Page{Limit: 2, Cursor: text}
			found, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Sort: sorts[uint(sort)%uint(len(sorts))]}, page)
			if err != nil && models.CodeOf(err) != models.CodeBadRequest {
				t.Fatalf("cursor %q: %v", text, err)
			}
			for _, item := range found.Items {
				if item.ProjectID != p.ID {
					t.Fatalf("cursor %q leads to an item of project %s", text, item.ProjectID)
				}
			}
		}
		if raw, err := base64.RawURLEncoding.DecodeString(texts[1]); err != nil || !json.Valid(raw) {
			t.Fatalf("a cursor is %q: %v", raw, err)
		}
	})
}
