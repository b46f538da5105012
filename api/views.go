package api

import (
	"context"
	"encoding/json"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// View is a filter of a project's list that somebody keeps under a name.
type View struct {
	ID        models.ID `json:"id"`
	ProjectID models.ID `json:"project_id"`
	OwnerID   models.ID `json:"owner_id" doc:"The user whose view it is"`
	Name      string    `json:"name"`
	Shared    bool      `json:"shared" doc:"All of the organisation see it"`
	Query     object    `json:"query" doc:"The filters of the list by their names, and sort"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Total     *int64    `json:"total,omitempty" doc:"How many items it has, where count asks for it; counted up to 1,000"`
	TotalIs   string    `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

// BuiltInView is a view that every project has.
type BuiltInView struct {
	Name    string `json:"name" enum:"inbox,mine,unassigned,unread,resolved,all,quarantine"`
	Query   object `json:"query"`
	Total   *int64 `json:"total,omitempty" doc:"As of views"`
	TotalIs string `json:"total_is,omitempty" enum:"at_least"`
}

// ViewList is the views of a project that the asking member sees.
type ViewList struct {
	BuiltIn []BuiltInView `json:"built_in" nullable:"false" doc:"What every project has"`
	Items   []View        `json:"items" nullable:"false" doc:"One's own and the shared ones, oldest first"`
}

func viewBody(v models.View) (View, error) {
	query, err := json.Marshal(v.Query)
	return View{
		ID: v.ID, ProjectID: v.ProjectID, OwnerID: v.UserID, Name: v.Name, Shared: v.Shared, Query: object(query),
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
	}, err
}

type listViewsInput struct {
	ProjectPath
	Count bool `query:"count" doc:"Count what each of them has"`
}

type listViewsOutput struct{ Body ViewList }

func (s *Server) listViews(ctx context.Context, in *listViewsInput) (*listViewsOutput, error) {
	claims := askerOf(ctx).claims
	views, err := s.store.Views(ctx, claims.Scope, models.ID(in.ID), claims.UserID)
	if err != nil {
		return nil, err
	}
	body := ViewList{BuiltIn: []BuiltInView{}, Items: []View{}}
	var filters []store.Filter
	for _, view := range models.BuiltInViews() {
		query, err := json.Marshal(view.Query)
		if err != nil {
			return nil, err
		}
		body.BuiltIn = append(body.BuiltIn, BuiltInView{Name: view.Name, Query: object(query)})
		filters = append(filters, store.FilterOf(view.Query.FeedbackFilter, claims.UserID))
	}
	for _, view := range views {
		shown, err := viewBody(view)
		if err != nil {
			return nil, err
		}
		body.Items = append(body.Items, shown)
		filters = append(filters, store.FilterOf(view.Query.FeedbackFilter, claims.UserID))
	}
	if !in.Count {
		return &listViewsOutput{Body: body}, nil
	}
	totals, err := s.store.CountViews(ctx, claims.Scope, models.ID(in.ID), filters)
	if err != nil {
		return nil, err
	}
	for i := range body.BuiltIn {
		body.BuiltIn[i].Total, body.BuiltIn[i].TotalIs = total(&totals[i])
	}
	for i := range body.Items {
		body.Items[i].Total, body.Items[i].TotalIs = total(&totals[len(body.BuiltIn)+i])
	}
	return &listViewsOutput{Body: body}, nil
}

// NewView is a view to be kept.
type NewView struct {
	Name   string `json:"name"`
	Shared bool   `json:"shared,omitempty"`
	Query  object `json:"query" doc:"The filters of the list by their names, and sort"`
}

type createViewInput struct {
	ProjectPath
	Body NewView
}

type viewOutput struct{ Body View }

func viewAnswer(v models.View, err error) (*viewOutput, error) {
	if err != nil {
		return nil, err
	}
	body, err := viewBody(v)
	return &viewOutput{Body: body}, err
}

func (s *Server) createView(ctx context.Context, in *createViewInput) (*viewOutput, error) {
	claims := askerOf(ctx).claims
	if in.Body.Shared && !claims.CanTriage() {
		return nil, errRole()
	}
	view := models.View{ID: models.NewID(), ProjectID: models.ID(in.ID), UserID: claims.UserID, Name: in.Body.Name, Shared: in.Body.Shared}
	if err := view.Normalize(); err != nil {
		return nil, err
	}
	var err error
	if view.Query, err = models.ReadViewQuery(json.RawMessage(in.Body.Query)); err != nil {
		return nil, err
	}
	return viewAnswer(s.store.CreateView(ctx, claims.Scope, view))
}

// ViewPath names a view in a call's address.
type ViewPath struct {
	ID string `path:"id" doc:"The view's id"`
}

// ViewPatch changes the fields it names.
type ViewPatch struct {
	Name   *string `json:"name,omitempty"`
	Shared *bool   `json:"shared,omitempty"`
	Query  object  `json:"query,omitempty" doc:"All of it, in the place of the query that was"`
}

type updateViewInput struct {
	ViewPath
	Body ViewPatch
}

// mayChange: what others see is changed by who may triage, if it is theirs, and by
// who manages the organisation.
func mayChange(claims models.Claims, view models.View, share bool) error {
	own := view.UserID == claims.UserID
	if !view.Shared && !share && own {
		return nil
	}
	if claims.CanManage() || (claims.CanTriage() && own) {
		return nil
	}
	return errRole()
}

func (s *Server) updateView(ctx context.Context, in *updateViewInput) (*viewOutput, error) {
	claims := askerOf(ctx).claims
	var query *models.ViewQuery
	if in.Body.Query != nil {
		read, err := models.ReadViewQuery(json.RawMessage(in.Body.Query))
		if err != nil {
			return nil, err
		}
		query = &read
	}
	return viewAnswer(s.store.UpdateView(ctx, claims.Scope, claims.UserID, models.ID(in.ID), func(view *models.View) error {
		if err := mayChange(claims, *view, in.Body.Shared != nil && *in.Body.Shared); err != nil {
			return err
		}
		if in.Body.Name != nil {
			view.Name = *in.Body.Name
		}
		if in.Body.Shared != nil {
			view.Shared = *in.Body.Shared
		}
		if query != nil {
			view.Query = *query
		}
		return view.Normalize()
	}))
}

func (s *Server) deleteView(ctx context.Context, in *ViewPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	return nil, s.store.DeleteView(ctx, claims.Scope, claims.UserID, models.ID(in.ID), func(view models.View) error {
		return mayChange(claims, view, false)
	})
}

func (s *Server) viewRoutes() {
	const tag = "Views"
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/views", id: "list-views", tag: tag,
		summary: "The views of a project's list: those that each has, one's own, and the shared ones",
	}, s.listViews)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/views", id: "create-view", tag: tag, status: 201,
		summary: "Keep a view",
	}, s.createView)
	register(s, operation{
		method: "PATCH", path: "/api/v1/views/{id}", id: "update-view", tag: tag,
		summary: "Rename, share or change a view",
	}, s.updateView)
	register(s, operation{
		method: "DELETE", path: "/api/v1/views/{id}", id: "delete-view", tag: tag, status: 204,
		summary: "Delete a view",
	}, s.deleteView)
}
