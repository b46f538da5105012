package models

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Project is one site's widget and its inbox.
type Project struct {
	ID             ID
	OrganizationID ID
	Name           string
	// Key is public: it routes, it authorises nothing.
	Key            string
	KeyDisabled    bool
	AllowedOrigins Origins
	Settings       ProjectSettings
	// RetentionDays is how long feedback is kept after something happened to it; 0 for
	// good.
	RetentionDays int
	// IdentityVersion counts the secrets that the site signs identities with, from 1.
	IdentityVersion int
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// ProjectSettings is how a project's widget looks and what it asks for.
type ProjectSettings struct {
	Accent   string      `json:"accent" doc:"Accent colour, #rrggbb" pattern:"^#[0-9a-fA-F]{6}$" example:"#4f46e5"`
	Theme    string      `json:"theme" enum:"auto,light,dark"`
	Position string      `json:"position" enum:"right,left"`
	Kinds    []Kind      `json:"kinds" doc:"Kinds offered to the visitor, in this order; empty offers none" maxItems:"5" nullable:"false"`
	Rating   bool        `json:"rating" doc:"Ask for a rating from one to five"`
	AskEmail bool        `json:"ask_email" doc:"Offer a field for the visitor's e-mail address"`
	Locale   string      `json:"locale" doc:"auto follows the visitor's browser" enum:"auto,en,de,ar"`
	Texts    WidgetTexts `json:"texts" doc:"Texts that replace the locale's own"`
	// ShowDrafts lets staff see what is typed before it is sent. The widget
	// tells the visitor so, and offers a switch.
	ShowDrafts bool   `json:"show_drafts" doc:"Staff see drafts as they are typed; the visitor is told and can refuse"`
	Trigger    string `json:"trigger" doc:"none: the page opens the widget itself" enum:"button,none"`
}

// WidgetTexts replaces single texts of the widget; empty ones keep the locale's.
type WidgetTexts struct {
	Launcher    string `json:"launcher,omitempty" maxLength:"200"`
	Title       string `json:"title,omitempty" maxLength:"200"`
	Placeholder string `json:"placeholder,omitempty" maxLength:"200"`
	Thanks      string `json:"thanks,omitempty" maxLength:"200"`
}

// The choices of a project's settings, in the order they are offered.
var (
	themes    = []string{"auto", "light", "dark"}
	positions = []string{"right", "left"}
	locales   = []string{"auto", "en", "de", "ar"}
	triggers  = []string{"button", "none"}
	hexColor  = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
)

// DefaultSettings is what a new project starts with.
func DefaultSettings() ProjectSettings {
	return ProjectSettings{
		Accent: "#4f46e5", Theme: "auto", Position: "right", Kinds: Kinds(),
		Rating: true, AskEmail: true, Locale: "auto", Trigger: "button",
	}
}

// Normalize checks the project's name, origins and settings and brings them to
// the form in which they are stored.
func (p *Project) Normalize() error {
	var bad problems
	p.Name = strings.TrimSpace(p.Name)
	if checkText(&bad, "name", p.Name) {
		checkLength(&bad, "name", p.Name, 1, MaxName)
	}
	p.normalizeOrigins(&bad)
	p.Settings.check(&bad)
	if p.RetentionDays < 0 || p.RetentionDays > MaxRetentionDays {
		bad.add("retention_days", "must be from 0 (for good) to %d", MaxRetentionDays)
	}
	return bad.err()
}

func (p *Project) normalizeOrigins(bad *problems) {
	if len(p.AllowedOrigins) > maxOrigins {
		bad.add("allowed_origins", "must have at most %d entries", maxOrigins)
		return
	}
	normal := make(Origins, 0, len(p.AllowedOrigins))
	for i, entry := range p.AllowedOrigins {
		origin, ok := normalizeOriginEntry(entry)
		if !ok {
			bad.add("allowed_origins."+strconv.Itoa(i),
				`must be an origin such as "https://example.com", "https://*.example.com" or "http://localhost:*", with other letters than ASCII as "xn--…"`)
			continue
		}
		if !slices.Contains(normal, origin) {
			normal = append(normal, origin)
		}
	}
	p.AllowedOrigins = normal
}

func (s *ProjectSettings) check(bad *problems) {
	if !hexColor.MatchString(s.Accent) {
		bad.add("settings.accent", "must be a colour such as #4f46e5")
	}
	checkChoice(bad, "settings.theme", s.Theme, themes)
	checkChoice(bad, "settings.position", s.Position, positions)
	checkChoice(bad, "settings.locale", s.Locale, locales)
	checkChoice(bad, "settings.trigger", s.Trigger, triggers)
	for i, kind := range s.Kinds {
		if !kind.Valid() || slices.Contains(s.Kinds[:i], kind) {
			bad.add("settings.kinds."+strconv.Itoa(i), "must be one of %v, each once", Kinds())
		}
	}
	if s.Kinds == nil {
		s.Kinds = []Kind{}
	}
	texts := map[string]string{
		"launcher": s.Texts.Launcher, "title": s.Texts.Title,
		"placeholder": s.Texts.Placeholder, "thanks": s.Texts.Thanks,
	}
	for name, text := range texts {
		if checkText(bad, "settings.texts."+name, text) {
			checkLength(bad, "settings.texts."+name, text, 0, MaxName)
		}
	}
}

func checkChoice(bad *problems, path, value string, choices []string) {
	if !slices.Contains(choices, value) {
		bad.add(path, "must be one of %v", choices)
	}
}

// Snippet is the tag that a site owner pastes. baseURL is the configured public
// address, without a trailing slash.
func (p *Project) Snippet(baseURL string) string {
	return fmt.Sprintf(`<script async src="%s/w/%s.js"></script>`, html.EscapeString(baseURL), p.Key)
}
