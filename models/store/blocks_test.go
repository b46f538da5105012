package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

func word(p *models.Project, text string) models.Block {
	return models.Block{ProjectID: p.ID, Kind: models.BlockWord, Value: text, Label: text}
}

func TestBlocksAreWalled(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	stranger, other := newProject(t, s)
	block, err := s.CreateBlock(t.Context(), scope, word(p, "watches"))
	if err != nil {
		t.Fatal(err)
	}
	item := mustSubmit(t, s, newFeedback(p, "item"))
	_, err = s.BlockList(t.Context(), stranger, p.ID, Page{Limit: 10})
	wantCode(t, "a stranger's list", err, models.CodeNotFound)
	_, err = s.CreateBlock(t.Context(), stranger, word(p, "another"))
	wantCode(t, "a stranger's block", err, models.CodeNotFound)
	_, err = s.DeleteBlock(t.Context(), stranger, block.ID)
	wantCode(t, "a stranger's lifting", err, models.CodeNotFound)
	_, _, err = s.Sender(t.Context(), stranger, item.ID)
	wantCode(t, "a stranger's sender", err, models.CodeNotFound)
	_, err = s.DeleteBlock(t.Context(), models.Scope{}, block.ID)
	wantCode(t, "without a scope", err, models.CodeInternal)
	if blocks, err := s.Blocks(t.Context(), other.ID); err != nil || blocks.Any() {
		t.Errorf("another project has blocks (%v)", err)
	}
	if value, err := s.SessionValue(t.Context(), other.ID, item.SessionID); err != nil || value != "" {
		t.Errorf("in another project the session is %q (%v)", value, err)
	}
}

func TestBlocksAreKeptUntilTheyChange(t *testing.T) {
	t.Parallel()
	s, clock := openWithClock(t)
	scope, p := newProject(t, s)
	has := func() []string {
		t.Helper()
		blocks, err := s.Blocks(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Blocks(t.Context(), p.ID)
		if err != nil || again != blocks {
			t.Errorf("they are read anew (%v)", err)
		}
		return blocks.Words(&models.Submission{Message: "Watches and RINGS"}, clock.Now())
	}
	want := func(when, words string) {
		t.Helper()
		if got := strings.Join(has(), " "); got != words {
			t.Errorf("%s: %q are blocked, want %q", when, got, words)
		}
	}
	want("before", "")
	first, err := s.CreateBlock(t.Context(), scope, word(p, "watches"))
	if err != nil {
		t.Fatal(err)
	}
	want("with one", "watches")
	second := word(p, "rings")
	second.ExpiresAt = clock.Now().Add(time.Minute)
	if _, err := s.CreateBlock(t.Context(), scope, second); err != nil {
		t.Fatal(err)
	}
	want("with two", "watches rings")
	_, err = s.CreateBlock(t.Context(), scope, second)
	wantCode(t, "the same again", err, models.CodeConflict)
	clock.add(time.Minute)
	want("after a minute", "watches")
	second.ExpiresAt = time.Time{}
	if _, err := s.CreateBlock(t.Context(), scope, second); err != nil {
		t.Errorf("the same once it has expired: %v", err)
	}
	if _, err := s.DeleteBlock(t.Context(), scope, first.ID); err != nil {
		t.Fatal(err)
	}
	want("without the first", "rings")
	if err := s.DeleteProject(t.Context(), scope, p.ID); err != nil {
		t.Fatal(err)
	}
	want("in a deleted project", "")
}

func TestBlocksAreBounded(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	for n := range models.MaxBlocks {
		if _, err := s.CreateBlock(t.Context(), scope, word(p, fmt.Sprint("word ", n))); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.CreateBlock(t.Context(), scope, word(p, "one too many"))
	wantCode(t, "one too many", err, models.CodeForbidden)
}

// Of an address nothing is left with the item.
func TestAddressIsErased(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	submit := func() models.ID {
		in := newFeedback(p, "item")
		in.AddressHash = "kept-until-erased"
		return mustSubmit(t, s, in).ID
	}
	id := submit()
	submit()
	if address, session, err := s.Sender(t.Context(), scope, id); err != nil || address != "kept-until-erased" || session == "" {
		t.Fatalf("sent by %q, %q (%v)", address, session, err)
	}
	kept := func() (n int64) {
		if err := s.read.Model(&feedbackRow{}).Where("address_hash <> ''").Count(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := s.Erase(t.Context(), scope, id); err != nil {
		t.Fatal(err)
	}
	if n := kept(); n != 1 {
		t.Errorf("%d addresses are kept, want that of the item that was not erased", n)
	}
	if err := s.DeleteProject(t.Context(), scope, p.ID); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return kept() == 0 })
}
