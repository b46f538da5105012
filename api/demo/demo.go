// Package demo fills an empty database with a shop's feedback and serves the
// shop, so that Earshot can be tried without a site of one's own.
package demo

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"earshot/api/operator"
	"earshot/models"
	"earshot/models/store"
)

// Email is whom to sign in as.
const Email = "demo@example.com"

const (
	metaProjectKey = "demo_project_key"
	passwordLength = 20
	// span is how far back the oldest feedback lies.
	span = 14 * 24 * time.Hour
)

//go:embed feedback.json
var feedbackJSON []byte

//go:embed shop.html
var shopHTML string

// Demo is what to tell the person who started it.
type Demo struct {
	Password   string
	ProjectKey string
}

type item struct {
	Message  string          `json:"message"`
	Page     string          `json:"page"`
	Kind     models.Kind     `json:"kind"`
	Rating   int             `json:"rating"`
	Name     string          `json:"name"`
	Email    string          `json:"email"`
	Status   models.Status   `json:"status"`
	Priority models.Priority `json:"priority"`
}

// Seed fills the migrated, empty database at path. One that Seed filled before
// keeps its feedback and gets a new password; any other is refused. The
// database must not be open elsewhere.
func Seed(ctx context.Context, path string, log *slog.Logger, secret []byte, hash func(context.Context, string) (string, error)) (demo Demo, err error) {
	clock := &clock{at: time.Now().Add(-span)}
	key, err := models.DeriveKey(secret, operator.AuditUse)
	if err != nil {
		return Demo{}, err
	}
	s, err := store.Open(ctx, store.Options{Path: path, Log: log, Now: clock.now, AuditKey: key})
	if err != nil {
		return Demo{}, err
	}
	defer func() {
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
	}()
	demo.Password = models.NewToken()[:passwordLength]
	passwordHash, err := hash(ctx, demo.Password)
	if err != nil {
		return Demo{}, err
	}
	if demo.ProjectKey, err = s.Meta(ctx, metaProjectKey); err != nil {
		return Demo{}, err
	}
	if demo.ProjectKey != "" {
		return demo, renewPassword(ctx, s, passwordHash)
	}
	if has, err := s.HasUsers(ctx); err != nil || has {
		if err == nil {
			err = fmt.Errorf("--demo needs an empty database, and this one has users: choose another folder with --data")
		}
		return Demo{}, err
	}
	demo.ProjectKey, err = fill(ctx, s, clock, passwordHash)
	return demo, err
}

func renewPassword(ctx context.Context, s *store.Store, hash string) error {
	user, err := s.UserByEmail(ctx, Email)
	if err != nil {
		return fmt.Errorf("find the demo's owner: %w", err)
	}
	_, err = s.SetPassword(ctx, user.ID, hash, "")
	return err
}

func fill(ctx context.Context, s *store.Store, clock *clock, hash string) (key string, err error) {
	var items []item
	if err := json.Unmarshal(feedbackJSON, &items); err != nil {
		return "", fmt.Errorf("decode demo feedback: %w", err)
	}
	owner, org, err := s.CreateFirstOwner(ctx,
		models.User{Email: Email, Name: "Robin Demo", PasswordHash: hash, EmailVerified: true}, models.Organization{Name: "Kettle & Leaf"})
	if err != nil {
		return "", err
	}
	scope := models.ScopeOf(org.ID)
	settings := models.DefaultSettings()
	settings.Accent, settings.ShowDrafts = "#0f766e", true
	project := &models.Project{Name: "Kettle & Leaf shop", Settings: settings}
	if err := project.Normalize(); err != nil {
		return "", err
	}
	if err := s.CreateProject(ctx, scope, project); err != nil {
		return "", err
	}
	step := span / time.Duration(len(items)+1)
	for i, item := range items {
		clock.advance(step)
		if err := add(ctx, s, scope, project, item, models.Actor{UserID: owner.ID, Name: owner.Name}); err != nil {
			return "", fmt.Errorf("demo feedback %d: %w", i, err)
		}
	}
	return project.Key, s.SetMeta(ctx, metaProjectKey, project.Key)
}

func add(ctx context.Context, s *store.Store, scope models.Scope, project *models.Project, item item, by models.Actor) error {
	submission := models.Submission{
		ID: models.NewID(), PageURL: "https://kettle-and-leaf.example" + item.Page, Message: item.Message,
		Kind: item.Kind, Rating: item.Rating, Name: item.Name, Email: item.Email,
	}
	if err := submission.Normalize(); err != nil {
		return err
	}
	accepted, err := s.Submit(ctx, store.NewFeedback{
		Project: project, Submission: submission, ResumeHash: models.HashResumeToken(models.NewResumeToken()), SessionID: models.NewID(),
	})
	if err != nil || (item.Status == "" && item.Priority == "") {
		return err
	}
	change := models.Triage{Rev: 1}
	if item.Status != "" {
		change.Status = &item.Status
	}
	if item.Priority != "" {
		change.Priority = &item.Priority
	}
	_, err = s.Triage(ctx, scope, accepted.ID, change, by)
	return err
}

// clock lets the seed's feedback be as old as it says. The store's writer reads it while the seed moves it on.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Page writes the shop, with the widget of a project.
func Page(w io.Writer, projectKey string) error {
	page, err := template.New("shop").Parse(shopHTML)
	if err != nil {
		return fmt.Errorf("parse the shop's page: %w", err)
	}
	return page.Execute(w, map[string]any{"Key": strings.TrimSpace(projectKey)})
}
