package realtime

import (
	"cmp"
	"net/url"
	"slices"

	"earshot/models"
	"earshot/realtime/protocol"
)

const (
	// shownPages is how many pages staff are told of, those with the most visitors.
	shownPages = 20
	// maxPage bounds what is kept of a page's address, in bytes.
	maxPage = 300
)

// pages counts the visitors on each page of a project. It is guarded by the hub's
// mutex.
type pages map[string]int

func (p pages) leave(page string) {
	if p[page]--; p[page] <= 0 {
		delete(p, page)
	}
}

// most are the pages with the most visitors.
func (p pages) most() []protocol.PagePresence {
	all := make([]protocol.PagePresence, 0, len(p))
	for page, n := range p {
		all = append(all, protocol.PagePresence{PageURL: page, Visitors: n})
	}
	slices.SortFunc(all, func(a, b protocol.PagePresence) int {
		return cmp.Or(cmp.Compare(b.Visitors, a.Visitors), cmp.Compare(a.PageURL, b.PageURL))
	})
	return all[:min(len(all), shownPages)]
}

// pageOf is an address without what differs from visitor to visitor and may say
// who they are.
func pageOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return ""
	}
	page := (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path, RawPath: parsed.RawPath}).String()
	if len(page) > maxPage {
		return ""
	}
	return page
}

// seenOn notes on which page a visitor is. "" says nothing of it.
func (h *Hub) seenOn(v *visitor, project models.ID, address string) {
	page := pageOf(address)
	if page == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[project]
	if t == nil || v.page == page || v.gone || !v.shown {
		return
	}
	if v.page != "" {
		t.presence.pages.leave(v.page)
	}
	if t.presence.pages == nil {
		t.presence.pages = pages{}
	}
	t.presence.pages[page]++
	v.page = page
	t.presence.changed = true
}
