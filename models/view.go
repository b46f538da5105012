package models

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxViews bounds the views of a member in a project.
const MaxViews = 100

// View is a filter of a project's list that somebody keeps under a name.
type View struct {
	ID             ID
	OrganizationID ID
	ProjectID      ID
	UserID         ID // whose it is
	Name           string
	// Shared views are seen by all of the organisation.
	Shared    bool
	Query     ViewQuery
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Normalize checks the view's name and brings it to the form in which it is stored.
func (v *View) Normalize() error {
	var p problems
	v.Name = strings.TrimSpace(v.Name)
	if checkText(&p, "name", v.Name) {
		checkLength(&p, "name", v.Name, 1, MaxName)
	}
	return p.err()
}

// ViewQuery is what a view lists, and in which order.
type ViewQuery struct {
	FeedbackFilter
	// Sort is an order of the list; "" is the list's own.
	Sort string `json:"sort,omitempty"`
}

// ReadViewQuery reads a view's query as strictly as ReadFeedbackFilter does.
func ReadViewQuery(raw json.RawMessage) (q ViewQuery, err error) {
	const at = "query"
	fields, err := readFields(at, raw)
	if err != nil {
		return q, err
	}
	if sort, ok := fields["sort"]; ok {
		if json.Unmarshal(sort, &q.Sort) != nil || !validSort(q.Sort) {
			return q, InvalidField(at+".sort", fmt.Sprintf("must be of %v", Sorts()))
		}
		delete(fields, "sort")
	}
	if err := q.read(at, fields); err != nil {
		return q, err
	}
	if q.Sort == SortRelevance && q.Query == "" {
		return q, InvalidField(at+".sort", "relevance is of a search: it needs q")
	}
	return q, nil
}

// SortRelevance puts the best hits of a search first.
const SortRelevance = "relevance"

// Sorts are the orders of a list.
func Sorts() []string {
	return []string{
		"created_at", "-created_at", "updated_at", "-updated_at", "priority", "-priority", "rating", "-rating", SortRelevance,
	}
}

func validSort(sort string) bool { return sort == "" || slices.Contains(Sorts(), sort) }

// BuiltInView is a view that every project has.
type BuiltInView struct {
	Name  string
	Query ViewQuery
}

// BuiltInViews are the views that every project has, in the order of their use.
func BuiltInViews() []BuiltInView {
	yes := true
	open := several[Status]{StatusNew, StatusOpen, StatusInProgress}
	view := func(name string, filter FeedbackFilter) BuiltInView {
		return BuiltInView{name, ViewQuery{FeedbackFilter: filter}}
	}
	return []BuiltInView{
		view("inbox", FeedbackFilter{Status: open}),
		view("mine", FeedbackFilter{Status: open, Assignee: AssigneeMe}),
		view("unassigned", FeedbackFilter{Status: open, Assignee: AssigneeNone}),
		view("unread", FeedbackFilter{Unread: &yes}),
		view("resolved", FeedbackFilter{Status: several[Status]{StatusResolved, StatusClosed}}),
		view("all", FeedbackFilter{}),
		view("quarantine", FeedbackFilter{Quarantined: &yes}),
	}
}
