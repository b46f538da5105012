package store

import (
	"encoding/base64"
	"encoding/json"
	"math"

	"gorm.io/gorm"

	"earshot/models"
)

// The bounds of a page.
const (
	MaxLimit = 200
	// countBound is where counting stops unless the exact figure is asked for.
	countBound = 10_000
	// noLimit is a LIMIT that both databases take and that is none.
	noLimit = math.MaxInt32
)

// Count says whether, and how exactly, a list is counted.
type Count string

// The ways to count.
const (
	CountNone    Count = ""
	CountBounded Count = "true"
	CountExact   Count = "exact"
)

// Page is which part of a list is wanted.
type Page struct {
	Limit  int // 1 to MaxLimit
	Cursor string
	Count  Count
}

// List is a page. NextCursor is "" on the last one.
type List[T any] struct {
	Items      []T
	NextCursor string
	Total      *Total
}

// Total is how many items all pages have together.
type Total struct {
	N       int64
	AtLeast bool // there are more than N
}

func (p Page) count(query *gorm.DB) (*Total, error) {
	total := &Total{}
	var err error
	switch p.Count {
	case CountNone:
		return nil, nil
	case CountExact:
		err = query.Session(&gorm.Session{}).Count(&total.N).Error
	case CountBounded:
		bounded := query.Session(&gorm.Session{}).Select("1").Limit(countBound + 1)
		err = query.Session(&gorm.Session{NewDB: true}).Table("(?) AS bounded", bounded).Count(&total.N).Error
		if total.N > countBound {
			total.N, total.AtLeast = countBound, true
		}
	}
	return total, translate(err)
}

// cursor is a place in a list: the sort value and the tie-breakers of the last
// item seen. It is opaque to clients but not secret: it opens nothing that the
// list itself would not.
type cursor struct {
	List  string    `json:"l"`
	Value int64     `json:"v"`
	ID    models.ID `json:"i,omitempty"`
	// Created and N are of lists of feedback.
	Created int64 `json:"c,omitempty"`
	N       int64 `json:"n,omitempty"`
}

func (c cursor) encode() string {
	raw, err := json.Marshal(c)
	if err != nil { // a struct of strings and numbers
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeCursor reads a cursor of the named list; nil for the first page.
func decodeCursor(s, list string) (*cursor, error) {
	if s == "" {
		return nil, nil
	}
	var c cursor
	raw, ok := models.ReadBase64(s)
	// Whatever else the decoders would read of it: it has one form.
	if !ok || json.Unmarshal(raw, &c) != nil || c.List != list || c.ID != "" && !c.ID.Valid() || c.encode() != s {
		return nil, models.Errorf(models.CodeBadRequest, "cursor is not one that this list gave out")
	}
	return &c, nil
}
