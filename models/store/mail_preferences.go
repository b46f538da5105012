package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"earshot/models"
)

// Notifications reads what a member wants to be mailed. Nobody has to have chosen
// anything: then it is what visitors answer in items assigned to them, and no more.
func (s *Store) Notifications(ctx context.Context, scope models.Scope, user models.ID) (models.Notifications, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	wants := models.Notifications{TimeZone: "UTC", Answers: true, Projects: map[models.ID]models.NotifyMode{}}
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return wants, err
	}
	var own mailPreferencesRow
	if err := db.Where("user_id = ?", user).Limit(1).Find(&own).Error; err != nil {
		return wants, translate(err)
	}
	if own.UserID != "" {
		wants.TimeZone, wants.Answers = own.TimeZone, own.Answers
	}
	var rows []notificationRow
	if err := db.Where("organization_id = ? AND user_id = ?", scope.Organization(), user).Find(&rows).Error; err != nil {
		return wants, translate(err)
	}
	for _, row := range rows {
		wants.Projects[row.ProjectID] = row.Mode
	}
	member, err := s.User(ctx, user)
	if err != nil {
		return wants, err
	}
	address, err := s.mailAddress(ctx, models.HashAddress("", member.Email))
	wants.Bouncing = address.Bounces >= maxBounces
	return wants, err
}

// SetNotifications stores what a member wants to be mailed from now on, checked by
// its Check. Their address is tried again where it refused mail before.
func (s *Store) SetNotifications(ctx context.Context, scope models.Scope, user models.ID, wants models.Notifications) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	zone, err := models.LoadZone(wants.TimeZone)
	if err != nil {
		return err
	}
	member, err := s.User(ctx, user)
	if err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		own := mailPreferencesRow{UserID: user, TimeZone: wants.TimeZone, Answers: wants.Answers}
		if err := t.orm().Clauses(clause.OnConflict{UpdateAll: true}).Create(&own).Error; err != nil {
			return err
		}
		if err := t.orm().Delete(&mailAddressRow{Hash: models.HashAddress("", member.Email)}).Error; err != nil {
			return err
		}
		var before []notificationRow
		if err := t.orm().Where("organization_id = ? AND user_id = ?", scope.Organization(), user).Find(&before).Error; err != nil {
			return err
		}
		for _, row := range before {
			if mode, stays := wants.Projects[row.ProjectID]; !stays || mode == models.NotifyNever {
				if err := t.orm().Delete(&row).Error; err != nil {
					return err
				}
			}
		}
		for project, mode := range wants.Projects {
			if err := t.setNotification(scope, user, project, mode, zone, before); err != nil {
				return err
			}
		}
		return nil
	})
}

// setNotification keeps a member's place in the log where they hear of the project
// already: a change of the mode skips nothing.
func (t *tx) setNotification(
	scope models.Scope, user, project models.ID, mode models.NotifyMode, zone *time.Location, before []notificationRow,
) error {
	if err := t.orm().Where("id = ? AND organization_id = ?", project, scope.Organization()).Take(&projectRow{}).Error; err != nil {
		return unknownProject(err)
	}
	if mode == models.NotifyNever {
		return nil
	}
	row := notificationRow{ProjectID: project, UserID: user, OrganizationID: scope.Organization(), Mode: mode}
	found := false
	for _, old := range before {
		if old.ProjectID == project {
			row.Through, row.PaceAt, found = old.Through, old.PaceAt, true
		}
	}
	if !found {
		err := t.orm().Raw("SELECT COALESCE(MAX(seq), 0) FROM events WHERE project_id = ?", project).Scan(&row.Through).Error
		if err != nil {
			return err
		}
	}
	row.NextAt = mode.Next(t.now, zone).UnixMilli()
	return t.orm().Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

func unknownProject(err error) error {
	if models.CodeOf(translate(err)) == models.CodeNotFound {
		return models.InvalidField("projects", "names a project that does not exist")
	}
	return err
}

// Unsubscribe ends the mails that a link in one of them is about, or takes that
// back. The link's signature stands in for the scope.
func (s *Store) Unsubscribe(ctx context.Context, from models.Unsubscription, back bool) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		switch from.Kind {
		case models.MailReply:
			return t.orm().Clauses(clause.OnConflict{
				Columns: []clause.Column{{Name: "hash"}}, DoUpdates: clause.AssignmentColumns([]string{"unsubscribed", "updated_at"}),
			}).Create(&mailAddressRow{
				Hash: from.Address, ProjectID: from.ProjectID, Unsubscribed: !back, UpdatedAt: t.now.UnixMilli(),
			}).Error
		case models.MailAnswer:
			return t.orm().Exec(`INSERT INTO mail_preferences (user_id, answers) SELECT id, CAST(? AS BOOLEAN) FROM users WHERE id = ?
				ON CONFLICT (user_id) DO UPDATE SET answers = excluded.answers`, back, from.UserID).Error
		case models.MailNews:
			// Back to what was chosen leads the page of preferences alone.
			return t.orm().Delete(&notificationRow{ProjectID: from.ProjectID, UserID: from.UserID}).Error
		}
		return nil
	})
}

// removeMails and removeMailAddresses remove what there is of a deleted project.
func (t *tx) removeMails(project models.ID) (int64, error) {
	return rows(t.orm().Exec("DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE project_id = ? LIMIT ?)", project, removalBatch))
}

func (t *tx) removeMailAddresses(project models.ID) (int64, error) {
	return rows(t.orm().Exec("DELETE FROM mail_addresses WHERE hash IN (SELECT hash FROM mail_addresses WHERE project_id = ? LIMIT ?)",
		project, removalBatch))
}

// forgetMails removes the mails about an item.
func (t *tx) forgetMails(feedback models.ID) error {
	return t.orm().Where("feedback_id = ? AND feedback_id <> ''", feedback).Delete(&mailRow{}).Error
}

// ProjectName reads the name of the project that a link's signature vouches for;
// the signature stands in for the scope.
func (s *Store) ProjectName(ctx context.Context, id models.ID) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := gorm.G[projectRow](s.read).Where("id = ?", id).Take(ctx)
	return row.Name, translate(err)
}
