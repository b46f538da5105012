package models

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// MaxBlocks bounds what a project has of them.
const MaxBlocks = 500

// The bounds of what staff write about a block, and of a word that is blocked, in
// code points. One letter would block everything.
const (
	maxBlockNote = 500
	minBlockWord = 3
	maxBlockWord = 200
)

// BlockKind is what a block looks at.
type BlockKind string

// The kinds of blocks.
const (
	BlockAddress BlockKind = "address"
	BlockSession BlockKind = "session"
	BlockWord    BlockKind = "word"
)

// Block holds back what comes from an address or a session, or has a word in it.
type Block struct {
	ID             ID
	OrganizationID ID
	ProjectID      ID
	Kind           BlockKind
	// Value is what is compared: an address's keyed hash, the hash of a session's
	// token, a word in lower case.
	Value string
	// Label is what staff read: the word, the session's id, or what they call the
	// address, which itself is not kept.
	Label     string
	Note      string
	CreatedBy ID
	CreatedAt time.Time
	// ExpiresAt is the zero time where the block stays.
	ExpiresAt time.Time
}

// Normalize checks what staff wrote of a block and trims it. Value is made of it
// here only for a word.
func (b *Block) Normalize(now time.Time) error {
	var p problems
	b.Label, b.Note = strings.TrimSpace(b.Label), strings.TrimSpace(b.Note)
	if checkText(&p, "label", b.Label) {
		checkLength(&p, "label", b.Label, 0, MaxName)
	}
	if checkText(&p, "note", b.Note) {
		checkLength(&p, "note", b.Note, 0, maxBlockNote)
	}
	if !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(now) {
		p.add("expires_at", "must be in the future")
	}
	if b.Kind == BlockWord {
		b.Value = FoldWord(b.Value)
		if checkText(&p, "word", b.Value) {
			checkLength(&p, "word", b.Value, minBlockWord, maxBlockWord)
		}
	}
	return p.err()
}

// FoldWord is the form in which words are compared.
func FoldWord(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// ReadAddress reads an address that staff type: one of IPv4, or one of IPv6 or the
// /64 of it, which is what a customer is given whole.
func ReadAddress(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if prefix, err := netip.ParsePrefix(text); err == nil {
		if address := prefix.Addr().Unmap(); address.Is6() && prefix.Bits() == 64 || prefix.IsSingleIP() {
			return address, nil
		}
	} else if address, err := netip.ParseAddr(text); err == nil {
		return address.Unmap(), nil
	}
	return netip.Addr{}, InvalidField("address", "must be one address, or a network of IPv6 of /64")
}

// AddressValue is a keyed hash of an address as blocks and items have it.
func AddressValue(hash []byte) string { return base64.RawURLEncoding.EncodeToString(hash) }

// SessionValue is a session's token as blocks have it.
func SessionValue(token ResumeHash) string { return base64.RawURLEncoding.EncodeToString(token) }

// Blocks are a project's, ready to be asked by every submission. They are never
// changed.
type Blocks struct {
	addresses, sessions map[string]time.Time
	words               []Block
}

// NewBlocks makes them ready.
func NewBlocks(all []Block) *Blocks {
	b := &Blocks{addresses: map[string]time.Time{}, sessions: map[string]time.Time{}}
	for _, block := range all {
		switch block.Kind {
		case BlockAddress:
			b.addresses[block.Value] = block.ExpiresAt
		case BlockSession:
			b.sessions[block.Value] = block.ExpiresAt
		case BlockWord:
			b.words = append(b.words, block)
		}
	}
	return b
}

// Any reports whether there are any.
func (b *Blocks) Any() bool { return b != nil && len(b.addresses)+len(b.sessions)+len(b.words) > 0 }

// Sender reports which block there is of who sends.
func (b *Blocks) Sender(address string, token ResumeHash, now time.Time) (BlockKind, bool) {
	if end, blocked := b.addresses[address]; blocked && valid(end, now) {
		return BlockAddress, true
	}
	if len(b.sessions) > 0 {
		if end, blocked := b.sessions[SessionValue(token)]; blocked && valid(end, now) {
			return BlockSession, true
		}
	}
	return "", false
}

func valid(end, now time.Time) bool { return end.IsZero() || now.Before(end) }

// Words are the labels of the blocked words that a submission has.
func (b *Blocks) Words(s *Submission, now time.Time) []string {
	if len(b.words) == 0 {
		return nil
	}
	text := strings.ToLower(strings.Join([]string{s.Message, s.Name, s.Email, s.PageURL}, "\n"))
	var found []string
	for _, block := range b.words {
		if valid(block.ExpiresAt, now) && strings.Contains(text, block.Value) && !slices.Contains(found, block.Label) {
			found = append(found, block.Label)
		}
	}
	return found
}

// Reasons says why what the blocks hold back is held back.
func (b *Blocks) Reasons(s *Submission, address string, token ResumeHash, now time.Time) []string {
	var reasons []string
	switch kind, _ := b.Sender(address, token, now); kind {
	case BlockAddress:
		reasons = append(reasons, "The sender's address is blocked by staff.")
	case BlockSession:
		reasons = append(reasons, "The sender's session is blocked by staff.")
	case BlockWord:
	}
	for _, word := range b.Words(s, now) {
		reasons = append(reasons, "Staff blocked the word “"+word+"”.")
	}
	return reasons
}

// ReasonStaff marks what staff held back themselves.
const ReasonStaff = "Staff held it back."
