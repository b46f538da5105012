package store

import (
	"encoding/base64"
	"math"
	"slices"
	"testing"

	"earshot/models"
)

// sortsWithPlaces are the orders of lists of feedback, as cursors name them.
func sortsWithPlaces() []string {
	return []string{"created_at", "-created_at", "updated_at", "-updated_at", "priority", "-priority", "rating", "-rating"}
}

// Whatever the text, a cursor that is read is one that was written for this list, in
// the only form that is written.
func FuzzCursor(f *testing.F) {
	const list = "feedback -rating"
	written := cursor{List: list, Value: 3, Created: 1_800_000_000_000, N: 7}.encode()
	text := base64.RawURLEncoding.EncodeToString
	for _, seed := range []string{
		written, written + "\n", written + "A", cursor{List: "audit", N: 7}.encode(), cursor{List: list, ID: models.NewID()}.encode(),
		cursor{List: list, ID: "no id"}.encode(), text([]byte(`{"l":"feedback -rating","v":3,"v":4}`)), text([]byte(`{"L":"feedback -rating","V":3}`)),
		text([]byte(` {"l":"feedback -rating","v":3}`)), text([]byte(`{"l":"feedback -rating","v":1e2}`)), text([]byte(`null`)), "", "=", "AA\r\nAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := decodeCursor(s, list)
		switch {
		case err != nil:
			if models.CodeOf(err) != models.CodeBadRequest {
				t.Fatalf("%q: %v", s, err)
			}
		case c == nil:
			if s != "" {
				t.Fatalf("%q is taken for no cursor", s)
			}
		case c.encode() != s || c.List != list || c.ID != "" && !c.ID.Valid():
			t.Fatalf("%q is read as %+v, which is written %q", s, c, c.encode())
		}
	})
}

// Wherever a cursor points, forged or not: what comes after it is an end of the list,
// and from each of its items on it goes on without a gap.
func FuzzPlaces(f *testing.F) {
	s, c := openWithClock(f)
	scope, p := newProject(f, s)
	ids := seed(f, s, c, scope, p, 12)
	all := map[string][]models.ID{}
	for i, sort := range sortsWithPlaces() {
		list, err := s.FeedbackList(f.Context(), scope, p.ID, Filter{Sort: sort}, Page{Limit: 5})
		if err != nil {
			f.Fatal(err)
		}
		first, err := decodeCursor(list.NextCursor, "feedback "+sort)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, first.Value, first.Created, first.N)
		f.Add(i, first.Value, int64(math.MaxInt64), int64(math.MinInt64))
		f.Add(i, int64(math.MinInt64), int64(-1), int64(0))
		if list, err = s.FeedbackList(f.Context(), scope, p.ID, Filter{Sort: sort}, Page{Limit: MaxLimit}); err != nil {
			f.Fatal(err)
		}
		if all[sort] = idsOf(list.Items); len(all[sort]) != len(ids) {
			f.Fatalf("the list has %d items, want %d", len(all[sort]), len(ids))
		}
	}
	f.Fuzz(func(t *testing.T, which int, value, created, n int64) {
		sort := sortsWithPlaces()[uint(which)%uint(len(sortsWithPlaces()))]
		at := cursor{List: "feedback " + sort, Value: value, Created: created, N: n}.encode()
		list, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Sort: sort}, Page{Limit: MaxLimit, Cursor: at})
		if err != nil {
			t.Fatal(err)
		}
		if want := all[sort][len(ids)-len(list.Items):]; !slices.Equal(idsOf(list.Items), want) || list.NextCursor != "" {
			t.Fatalf("after %d, %d, %d in the order %s there are %v, want the end of the list, %v", value, created, n, sort, idsOf(list.Items), want)
		}
		if len(list.Items) < 2 {
			return
		}
		one, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Sort: sort}, Page{Limit: 1, Cursor: at})
		if err != nil {
			t.Fatal(err)
		}
		rest, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Sort: sort}, Page{Limit: MaxLimit, Cursor: one.NextCursor})
		if err != nil || !slices.Equal(append(idsOf(one.Items), idsOf(rest.Items)...), idsOf(list.Items)) {
			t.Fatalf("%v, then %v, %v; want %v", idsOf(one.Items), idsOf(rest.Items), err, idsOf(list.Items))
		}
	})
}

func idsOf(items []*models.Feedback) []models.ID {
	ids := make([]models.ID, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	return ids
}
