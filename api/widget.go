package api

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/widget"
)

// maxScripts bounds the memory of the kept scripts; one takes about 40 KiB with
// its compressed forms.
const maxScripts = 1000

// scripts keeps each project's script as it is served, so that compressing it is
// paid once a change.
type scripts struct {
	mu   sync.Mutex
	kept map[scriptKey]*packed
}

type scriptKey struct {
	project models.ID
	locale  string
}

func newScripts() *scripts { return &scripts{kept: map[scriptKey]*packed{}} }

// get finds the kept script if it was made from the same configuration.
func (s *scripts) get(key scriptKey, config string) *packed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.kept[key]; found != nil && found.source == config {
		return found
	}
	return nil
}

func (s *scripts) put(key scriptKey, p *packed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= maxScripts {
		clear(s.kept)
	}
	s.kept[key] = p
}

func (s *scripts) forget(project models.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.kept {
		if key.project == project {
			delete(s.kept, key)
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

type dictionary = map[string]any

// widgetConfig composes the public configuration. locale is the language of the
// strings.
func (s *Server) widgetConfig(project *models.Project, locale string) ([]byte, error) {
	config := WidgetConfig{
		Key: project.Key, API: s.config.BaseURL, Version: widget.Version(), Name: project.Name, ProjectSettings: project.Settings,
	}
	if raw, ok := widget.Locale(locale); ok {
		if err := json.Unmarshal(raw, &config.Strings); err != nil {
			return nil, err
		}
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
	project, err := s.store.ProjectByKey(c.UserContext(), key)
	if models.CodeOf(err) == models.CodeNotFound || err == nil && project.KeyDisabled {
		return models.Errorf(models.CodeNotFound, "there is no project with this key")
	}
	if err != nil {
		return err
	}
	locale := localeFor(project.Settings, c.Get(fiber.HeaderAcceptLanguage))
	config, err := s.widgetConfig(project, locale)
	if err != nil {
		return err
	}
	id := scriptKey{project: project.ID, locale: locale}
	found := s.scripts.get(id, string(config))
	if found == nil {
		script, err := widget.Script(config)
		if err != nil {
			return err
		}
		found = pack(script)
		found.source = string(config)
		s.scripts.put(id, found)
	}
	c.Set(fiber.HeaderCacheControl, cacheShort)
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	return found.send(c, scriptType)
}

// widgetConfigFile is the configuration alone, for pages with the pinned script.
func (s *Server) widgetConfigFile(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	config, err := s.widgetConfig(project, localeFor(project.Settings, c.Get(fiber.HeaderAcceptLanguage)))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, cacheShort)
	c.Append(fiber.HeaderVary, fiber.HeaderAcceptLanguage)
	return pack(config).send(c, jsonType)
}

// pinnedFile is a file of one version of the widget: it never changes.
func (s *Server) pinnedFile(c *fiber.Ctx) error {
	sharedHeaders(c)
	if c.Params("version") != widget.Version() {
		return models.Errorf(models.CodeNotFound, "this version of the widget is not here")
	}
	name := c.Params("file")
	if name == "core.js" {
		c.Set(fiber.HeaderCacheControl, cacheEver)
		return s.pinned.core().send(c, scriptType)
	}
	locale, ok := strings.CutSuffix(name, ".json")
	content, found := widget.Locale(locale)
	if !ok || !found {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, cacheEver)
	return pack(content).send(c, jsonType)
}
