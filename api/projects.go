package api

import (
	"context"
	"fmt"
	"html"
	"time"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
	"earshot/widget"
)

// Project is one site's widget and inbox.
type Project struct {
	ID             models.ID              `json:"id"`
	Name           string                 `json:"name"`
	Key            string                 `json:"key" doc:"Public: it routes and authorises nothing"`
	KeyDisabled    bool                   `json:"key_disabled"`
	AllowedOrigins []string               `json:"allowed_origins" nullable:"false" doc:"Empty admits every origin"`
	Snippet        string                 `json:"snippet" doc:"The tag for the site's pages"`
	PinnedSnippet  string                 `json:"pinned_snippet" doc:"The tag for one version of the script, with its hash (subresource integrity)"`
	Settings       models.ProjectSettings `json:"settings"`
	RetentionDays  int                    `json:"retention_days" doc:"Days after which feedback is erased to which nothing happened; 0 keeps it for good"`
	CreatedAt      time.Time              `json:"created_at"`
	UpdatedAt      time.Time              `json:"updated_at"`
}

func (s *Server) projectBody(p *models.Project) Project {
	return Project{
		ID: p.ID, Name: p.Name, Key: p.Key, KeyDisabled: p.KeyDisabled, AllowedOrigins: append([]string{}, p.AllowedOrigins...),
		Snippet: p.Snippet(s.config.BaseURL), PinnedSnippet: s.pinnedSnippet(p), Settings: p.Settings, RetentionDays: p.RetentionDays, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

func (s *Server) pinnedSnippet(p *models.Project) string {
	return fmt.Sprintf(`<script async src="%s/w/v/%s/core.js" data-key="%s" integrity="%s" crossorigin></script>`,
		html.EscapeString(s.config.BaseURL), widget.Version(), p.Key, s.pinned.integrity())
}

// ProjectList is a page of projects.
type ProjectList struct {
	Items      []Project `json:"items" nullable:"false"`
	NextCursor *string   `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64    `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string    `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

type projectOutput struct{ Body Project }

// ProjectPath names a project in a call's address. It is exported because huma reads
// no fields of embedded types that are not.
type ProjectPath struct {
	ID string `path:"id" doc:"The project's id"`
}

// PageQuery is what every list takes. limit below 1 is refused before huma reads
// it, and one above the maximum is capped.
type PageQuery struct {
	Limit  int    `query:"limit" default:"50" doc:"1 to 200; larger is capped"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
	Count  string `query:"count" enum:"true,false,exact" doc:"true counts up to 10,000, exact all"`
}

func (q PageQuery) page() store.Page {
	page := store.Page{Limit: min(q.Limit, store.MaxLimit), Cursor: q.Cursor}
	switch q.Count {
	case "true":
		page.Count = store.CountBounded
	case "exact":
		page.Count = store.CountExact
	}
	return page
}

func total(t *store.Total) (n *int64, is string) {
	if t == nil {
		return nil, ""
	}
	if t.AtLeast {
		is = "at_least"
	}
	return &t.N, is
}

func cursorOrNull(cursor string) *string {
	if cursor == "" {
		return nil
	}
	return &cursor
}

type listProjectsInput struct {
	PageQuery
	Sort string `query:"sort" enum:"created_at,-created_at" default:"-created_at" doc:"- before it descends"`
}

type listProjectsOutput struct{ Body ProjectList }

func (s *Server) listProjects(ctx context.Context, in *listProjectsInput) (*listProjectsOutput, error) {
	list, err := s.store.Projects(ctx, askerOf(ctx).claims.Scope, in.page(), in.Sort)
	if err != nil {
		return nil, err
	}
	body := ProjectList{Items: []Project{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for i := range list.Items {
		body.Items = append(body.Items, s.projectBody(&list.Items[i]))
	}
	return &listProjectsOutput{Body: body}, nil
}

// NewProject makes a project.
type NewProject struct {
	Name           string         `json:"name"`
	AllowedOrigins []string       `json:"allowed_origins,omitempty" nullable:"false" doc:"Exact origins, https://*.example.com or http://localhost:*"`
	Settings       *SettingsPatch `json:"settings,omitempty"`
}

type createProjectInput struct{ Body NewProject }

func errRole() error { return models.Errorf(models.CodeForbidden, "your role does not allow this") }

func (s *Server) createProject(ctx context.Context, in *createProjectInput) (*projectOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	project := models.Project{Name: in.Body.Name, AllowedOrigins: in.Body.AllowedOrigins, Settings: models.DefaultSettings()}
	in.Body.Settings.apply(&project.Settings)
	if err := project.Normalize(); err != nil {
		return nil, err
	}
	if err := s.store.CreateProject(ctx, claims.Scope, &project); err != nil {
		return nil, err
	}
	return &projectOutput{Body: s.projectBody(&project)}, nil
}

func (s *Server) getProject(ctx context.Context, in *ProjectPath) (*projectOutput, error) {
	project, err := s.store.Project(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &projectOutput{Body: s.projectBody(project)}, nil
}

// ProjectPatch changes the fields it names.
type ProjectPatch struct {
	Name           *string        `json:"name,omitempty"`
	AllowedOrigins *[]string      `json:"allowed_origins,omitempty" nullable:"false"`
	Settings       *SettingsPatch `json:"settings,omitempty"`
	RetentionDays  *int           `json:"retention_days,omitempty" doc:"0 keeps feedback for good, at most 3650"`
	KeyDisabled    *bool          `json:"key_disabled,omitempty" doc:"Visitors are turned away while it is true"`
	RotateKey      bool           `json:"rotate_key,omitempty" doc:"Makes a new key. The old one is nobody's at once, and its sockets end: the snippet has to be replaced"`
}

// SettingsPatch changes the settings it names; texts are replaced as a whole.
type SettingsPatch struct {
	Accent     *string             `json:"accent,omitempty"`
	Theme      *string             `json:"theme,omitempty" enum:"auto,light,dark"`
	Position   *string             `json:"position,omitempty" enum:"right,left"`
	Kinds      *[]models.Kind      `json:"kinds,omitempty" nullable:"false" maxItems:"5"`
	Rating     *bool               `json:"rating,omitempty"`
	AskEmail   *bool               `json:"ask_email,omitempty"`
	Locale     *string             `json:"locale,omitempty" enum:"auto,en,de,ar"`
	Texts      *models.WidgetTexts `json:"texts,omitempty"`
	ShowDrafts *bool               `json:"show_drafts,omitempty"`
	Trigger    *string             `json:"trigger,omitempty" enum:"button,none"`
}

func (p *SettingsPatch) apply(to *models.ProjectSettings) {
	if p == nil {
		return
	}
	set(&to.Accent, p.Accent)
	set(&to.Theme, p.Theme)
	set(&to.Position, p.Position)
	set(&to.Kinds, p.Kinds)
	set(&to.Rating, p.Rating)
	set(&to.AskEmail, p.AskEmail)
	set(&to.Locale, p.Locale)
	set(&to.Texts, p.Texts)
	set(&to.ShowDrafts, p.ShowDrafts)
	set(&to.Trigger, p.Trigger)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

type updateProjectInput struct {
	ProjectPath
	Body ProjectPatch
}

func (s *Server) updateProject(ctx context.Context, in *updateProjectInput) (*projectOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	patch := in.Body
	project, err := s.store.UpdateProject(ctx, claims.Scope, models.ID(in.ID), func(p *models.Project) error {
		set(&p.Name, patch.Name)
		if patch.AllowedOrigins != nil {
			p.AllowedOrigins = *patch.AllowedOrigins
		}
		patch.Settings.apply(&p.Settings)
		set(&p.KeyDisabled, patch.KeyDisabled)
		set(&p.RetentionDays, patch.RetentionDays)
		if patch.RotateKey {
			p.Key = models.NewProjectKey()
		}
		return p.Normalize()
	})
	if err != nil {
		return nil, err
	}
	if project.KeyDisabled || patch.RotateKey {
		s.realtime.CloseProject(project.ID, protocol.CloseKeyDisabled)
	}
	return &projectOutput{Body: s.projectBody(project)}, nil
}

func (s *Server) deleteProject(ctx context.Context, in *ProjectPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	id := models.ID(in.ID)
	if err := s.store.DeleteProject(ctx, claims.Scope, id); err != nil {
		return nil, err
	}
	s.realtime.EndProject(id)
	s.scripts.forget(id)
	return nil, nil
}
