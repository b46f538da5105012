package api

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/widget"
)

// maxScripts bounds the memory of the kept files. A project takes about 40 KiB
// with all compressed forms: this is some 800 of them.
const maxScripts = 32 << 20

// scripts keeps each project's files as they are served, so that compressing
// them is paid once a change.
type scripts struct {
	mu   sync.Mutex
	kept map[scriptKey]*packed
	// size is the sum of all that is kept, in bytes; most bounds it.
	size, most int
}

// scriptKey is one file: the script with a configuration, or that alone.
type scriptKey struct {
	project models.ID
	locale  string
	alone   bool
}

func newScripts(most int) *scripts { return &scripts{kept: map[scriptKey]*packed{}, most: most} }

// get is the kept file if it was made from the same configuration. Otherwise
// make makes it anew; two may do so at once.
func (s *scripts) get(key scriptKey, config []byte, make func(config []byte) ([]byte, error)) (*packed, error) {
	s.mu.Lock()
	found := s.kept[key]
	s.mu.Unlock()
	if found != nil && found.source == string(config) {
		return found, nil
	}
	body, err := make(config)
	if err != nil {
		return nil, err
	}
	found = pack(body)
	found.source = string(config)
	s.put(key, found)
	return found, nil
}

// put starts anew where there is no room: what is asked for is soon back.
func (s *scripts) put(key scriptKey, p *packed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(key)
	if s.size+p.size() > s.most {
		clear(s.kept)
		s.size = 0
	}
	s.kept[key] = p
	s.size += p.size()
}

// drop is called with the lock held.
func (s *scripts) drop(key scriptKey) {
	if p := s.kept[key]; p != nil {
		s.size -= p.size()
		delete(s.kept, key)
	}
}

func (s *scripts) forget(project models.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.kept {
		if key.project == project {
			s.drop(key)
		}
	}
}

// WidgetConfig is what everybody may know of a project.
type WidgetConfig struct {
	Key     string `json:"key"`
	API     string `json:"api" doc:"The server's origin"`
	Version string `json:"version" doc:"Of the widget; names its pinned addresses"`
	Name    string `json:"name"`
	models.ProjectSettings
	// Strings is the language that fits the asker, so that the widget need not
	// fetch it.
	Strings dictionary `json:"strings,omitempty"`
}

// dictionary is one of the widget's, as JSON.
type dictionary json.RawMessage

// Schema implements huma.SchemaProvider.
func (dictionary) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{}}
}

// MarshalJSON implements json.Marshaler.
func (d dictionary) MarshalJSON() ([]byte, error) { return d, nil }

// widgetConfig composes the public configuration. locale is the language of the
// strings.
func (s *Server) widgetConfig(project *models.Project, locale string) ([]byte, error) {
	config := WidgetConfig{
		Key: project.Key, API: s.config.BaseURL, Version: widget.Version(), Name: project.Name, ProjectSettings: project.Settings,
	}
	if raw, ok := widget.Locale(locale); ok {
		config.Strings = raw
	}
	return json.Marshal(config)
}

// Languages that the widget speaks; the first is for everybody else.
const defaultLocale = "en"

func locales() []string { return []string{defaultLocale, "de", "ar"} }

// localeFor is the project's language, or with "auto" the asker's first that the
// widget speaks.
func localeFor(settings models.ProjectSettings, accepted string) string {
	if settings.Locale != "auto" {
		return settings.Locale
	}
	best, bestQuality := defaultLocale, 0.0
	for tag, quality := range preferences(accepted) {
		language, _, _ := strings.Cut(strings.ToLower(tag), "-")
		for _, known := range locales() {
			if language == known && quality > bestQuality {
				best, bestQuality = known, quality
			}
		}
	}
	return best
}

const (
	scriptType = "text/javascript; charset=utf-8"
	jsonType   = "application/json; charset=utf-8"
	cacheShort = "public, max-age=300, stale-while-revalidate=86400"
	cacheEver  = "public, max-age=31536000, immutable"
)

// sharedHeaders let any page load a file, with integrity and timings.
func sharedHeaders(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.Set("Timing-Allow-Origin", "*")
}

// widgetScript is the one request of a page with the widget on it.
func (s *Server) widgetScript(c *fiber.Ctx) error {
	key, ok := strings.CutSuffix(c.Params("file"), ".js")
	if !ok {
		return fiber.ErrNotFound
	}
	sharedHeaders(c)
	project, err := s.openProject(c, key)
	if err != nil {
		return err
	}
	return s.sendWidget(c, project, false)
}

// sendWidget answers with the project's script, or its configuration alone.
func (s *Server) sendWidget(c *fiber.Ctx, project *models.Project, alone bool) error {
	locale := localeFor(project.Settings, c.Get(fiber.HeaderAcceptLanguage))
	config, err := s.widgetConfig(project, locale)
	if err != nil {
		return err
	}
	compose, contentType := widget.Script, scriptType
	if alone {
		compose, contentType = func(config []byte) ([]byte, error) { return config, nil }, jsonType
	}
	file, err := s.scripts.get(scriptKey{project: project.ID, locale: locale, alone: alone}, config, compose)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, cacheShort)
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	return file.send(c, contentType)
}

// widgetConfigFile is the configuration alone, for pages with the pinned script.
func (s *Server) widgetConfigFile(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	return s.sendWidget(c, project, true)
}

// sendPinned answers with a file of one version of the widget: it never changes.
func (s *Server) sendPinned(c *fiber.Ctx) error {
	sharedHeaders(c)
	if c.Params("version") != widget.Version() {
		return models.Errorf(models.CodeNotFound, "this version of the widget is not here")
	}
	file, ok := s.pinned.files[c.Params("file")]
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, cacheEver)
	return file.content().send(c, file.contentType)
}
