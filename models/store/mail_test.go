package store

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// openMailing opens a store that queues mails, with a project and a member who
// hears of its feedback at once.
func openMailing(t testing.TB, now func() time.Time) (*Store, models.Scope, *models.Project, models.User) {
	t.Helper()
	path := newDatabase(t)
	s, err := Open(t.Context(), Options{Path: path, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: now, Mails: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	scope, p := newProject(t, s)
	member, err := s.CreateMember(t.Context(), scope, models.User{Email: string(models.NewID()) + "@example.com"}, models.RoleAgent)
	if err != nil {
		t.Fatal(err)
	}
	wantNews(t, s, scope, member, p, models.NotifyAtOnce)
	return s, scope, p, member
}

func wantNews(t testing.TB, s *Store, scope models.Scope, member models.User, p *models.Project, mode models.NotifyMode) {
	t.Helper()
	err := s.SetNotifications(t.Context(), scope, member.ID, models.Notifications{
		TimeZone: "UTC", Answers: true, Projects: map[models.ID]models.NotifyMode{p.ID: mode},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNotificationsAreWalled(t *testing.T) {
	t.Parallel()
	s, scope, p, member := openMailing(t, nil)
	stranger, other := newProject(t, s)
	owner, err := s.CreateMember(t.Context(), stranger, models.User{Email: "b@example.com"}, models.RoleOwner)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		scope   models.Scope
		user    models.ID
		project models.ID
		code    models.Code
	}{
		"another organisation's project":      {scope, member.ID, other.ID, models.CodeInvalidField},
		"from the other side":                 {stranger, owner.ID, p.ID, models.CodeInvalidField},
		"who is no member":                    {scope, owner.ID, p.ID, models.CodeInternal},
		"without a scope":                     {models.Scope{}, member.ID, p.ID, models.CodeInternal},
		"one's own":                           {scope, member.ID, p.ID, ""},
		"one's own, in another's, by oneself": {stranger, owner.ID, other.ID, ""},
	} {
		err := s.SetNotifications(t.Context(), tc.scope, tc.user, models.Notifications{
			TimeZone: "UTC", Projects: map[models.ID]models.NotifyMode{tc.project: models.NotifyDaily},
		})
		wantCode(t, name, err, tc.code)
	}
	got, err := s.Notifications(t.Context(), stranger, member.ID)
	if err != nil || len(got.Projects) != 0 {
		t.Errorf("elsewhere a member hears of %v (%v)", got.Projects, err)
	}
	// A mail that claims another organisation has nothing to say.
	item := mustSubmit(t, s, newFeedback(p, "ours"))
	content, err := s.MailContent(t.Context(), models.Mail{
		Kind: models.MailNews, OrganizationID: stranger.Organization(), ProjectID: p.ID, UserID: owner.ID, Through: 100,
	})
	if err != nil || content != nil {
		t.Errorf("a stranger's mail tells of %s: %+v (%v)", item.ID, content, err)
	}
}

// Who leaves an organisation hears no more of it, by any mail: not by one that
// waits, and not by one to come.
func TestRemovedMemberHearsNoMore(t *testing.T) {
	t.Parallel()
	s, scope, p, member := openMailing(t, nil)
	mustSubmit(t, s, newFeedback(p, "first"))
	if n, err := s.QueueNews(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d mails are queued (%v), want 1", n, err)
	}
	err := s.writer.do(t.Context(), false, func(t *tx) error {
		return t.orm().Delete(&memberRow{OrganizationID: scope.Organization(), UserID: member.ID}).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := s.BeginMail(t.Context())
	if err != nil || waiting == nil {
		t.Fatalf("the mail that waits is %+v (%v)", waiting, err)
	}
	if content, err := s.MailContent(t.Context(), *waiting); content != nil || err != nil {
		t.Errorf("it says %+v (%v)", content, err)
	}
	if err := s.DropMail(t.Context(), waiting.ID); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, s, newFeedback(p, "second"))
	if n, err := s.QueueNews(t.Context()); n != 0 || err != nil {
		t.Errorf("%d mails are queued (%v), want none", n, err)
	}
}

// Nothing of what was said is kept for a mail, and erasing an item takes the mails
// about it along.
func TestMailsKeepNoWords(t *testing.T) {
	t.Parallel()
	s, scope, p, member := openMailing(t, nil)
	in := newFeedback(p, "platypus one")
	in.Submission.Email = "ada.platypus@example.com"
	item := mustSubmit(t, s, in)
	_, err := s.PostMessage(t.Context(), scope, models.NewMessage{
		ID: models.NewID(), FeedbackID: item.ID, Body: "platypus two", Visibility: models.VisibilityPublic,
		Author: models.Author{Kind: models.AuthorMember, UserID: member.ID, Name: "Anna"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.QueueNews(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rows []mailRow
	if err := s.read.Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || strings.Contains(fmt.Sprintf("%+v", rows), "platypus") {
		t.Errorf("the queue holds %+v", rows)
	}
	if err := s.Erase(t.Context(), scope, item.ID); err != nil {
		t.Fatal(err)
	}
	rows = nil
	if err := s.read.Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Kind != models.MailNews {
		t.Errorf("after erasing the queue holds %+v", rows)
	}
	if content, err := s.MailContent(t.Context(), rows[0].mail()); content != nil || err != nil {
		t.Errorf("the news say %+v (%v)", content, err)
	}
}

func TestDeletedProjectLeavesNoMails(t *testing.T) {
	t.Parallel()
	s, scope, p, member := openMailing(t, nil)
	in := newFeedback(p, "first")
	in.Submission.Email = "a@example.com"
	item := mustSubmit(t, s, in)
	_, err := s.PostMessage(t.Context(), scope, models.NewMessage{
		ID: models.NewID(), FeedbackID: item.ID, Body: "yes", Visibility: models.VisibilityPublic,
		Author: models.Author{Kind: models.AuthorMember, UserID: member.ID, Name: "Anna"},
	})
	if err == nil {
		err = s.Unsubscribe(t.Context(), models.Unsubscription{Kind: models.MailReply, ProjectID: p.ID, Address: models.HashAddress(p.ID, "x@example.com")}, false)
	}
	if err == nil {
		err = s.DeleteProject(t.Context(), scope, p.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		var n int64
		err := s.read.Raw(`SELECT (SELECT COUNT(*) FROM mails) + (SELECT COUNT(*) FROM mail_addresses) + (SELECT COUNT(*) FROM notifications)`).Scan(&n).Error
		return err == nil && n == 0
	})
}

// What is looked for every other second is found by an index.
func TestMailsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "TestPostgresPlans looks at the other's plans")
	s, scope, p, member := openMailing(t, nil)
	mustSubmit(t, s, newFeedback(p, "first"))
	for name, look := range map[string]func(*gorm.DB) *gorm.DB{
		"news":   func(db *gorm.DB) *gorm.DB { return newsOf(db, p.ID, 0, 10).Select("1").Limit(1).Scan(&[]int{}) },
		"due":    func(db *gorm.DB) *gorm.DB { return db.Where(mailDue, 1).Order("due_at").Limit(1).Find(&[]mailRow{}) },
		"astray": func(db *gorm.DB) *gorm.DB { return db.Where(mailAstray, 1).Limit(1).Find(&[]mailRow{}) },
		"waiting": func(db *gorm.DB) *gorm.DB {
			return db.Where("feedback_id = ? AND feedback_id <> ''", p.ID).Find(&[]mailRow{})
		},
		"sent": func(db *gorm.DB) *gorm.DB {
			return db.Where("recipient = ? AND ended_at > ?", memberHash(member.ID), 1).Find(&[]mailRow{})
		},
		"member's": func(db *gorm.DB) *gorm.DB {
			return db.Where("organization_id = ? AND user_id = ?", scope.Organization(), member.ID).Find(&[]notificationRow{})
		},
	} {
		var plan []struct{ Detail string }
		if err := s.read.Raw("EXPLAIN QUERY PLAN " + s.read.ToSQL(look)).Scan(&plan).Error; err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			if strings.HasPrefix(step.Detail, "SCAN") || strings.Contains(step.Detail, "TEMP B-TREE") {
				t.Errorf("%s: a whole table is read: %v", name, plan)
			}
		}
	}
}

// BenchmarkSubmitMailing is BenchmarkSubmit with mail off, and with ten members who
// are told at once and looked for all the time: what they are told is in the log
// already, so that they cost a submission nothing.
func BenchmarkSubmitMailing(b *testing.B) {
	for _, mailing := range []bool{false, true, false, true} {
		b.Run(fmt.Sprintf("mailing=%t", mailing), func(b *testing.B) {
			s, scope, p, _ := openMailing(b, nil)
			ctx, cancel := context.WithCancel(b.Context())
			var wg, looking sync.WaitGroup
			if mailing {
				for i := range 9 {
					member, err := s.CreateMember(b.Context(), scope, models.User{Email: fmt.Sprintf("%d@example.com", i)}, models.RoleAgent)
					if err != nil {
						b.Fatal(err)
					}
					wantNews(b, s, scope, member, p, models.NotifyAtOnce)
				}
				looking.Go(func() {
					for ctx.Err() == nil {
						if _, err := s.QueueNews(ctx); err != nil && ctx.Err() == nil {
							b.Error(err)
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
			}
			work := make(chan struct{}, 16)
			before := processorTime(b)
			b.ResetTimer()
			for range 16 {
				wg.Go(func() {
					for range work {
						in := newFeedback(p, "The total in the cart is wrong: it shows 38.50 but the two teas add up to 35.00.")
						in.Submission.Email = "ada@example.com"
						if _, err := s.Submit(b.Context(), in); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
			cancel()
			looking.Wait()
		})
	}
}
