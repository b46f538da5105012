package store

import "earshot/models"

// mailState is where a mail stands. What was sent is kept for an hour to be
// counted, what was given up for people to see.
type mailState string

const (
	mailWaiting mailState = "waiting"
	mailSending mailState = "sending"
	mailSent    mailState = "sent"
	mailFailed  mailState = "failed"
)

type mailRow struct {
	ID             models.ID `gorm:"primaryKey"`
	Kind           models.MailKind
	OrganizationID models.ID
	ProjectID      models.ID
	UserID         models.ID
	FeedbackID     models.ID
	Recipient      []byte
	Since          int64
	Through        int64
	State          mailState
	DueAt          int64
	Attempts       int
	Unreachable    bool
	Error          string
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	EndedAt        *int64
}

func (mailRow) TableName() string { return "mails" }

func (r *mailRow) mail() models.Mail {
	return models.Mail{
		ID: r.ID, Kind: r.Kind, OrganizationID: r.OrganizationID, ProjectID: r.ProjectID, UserID: r.UserID, FeedbackID: r.FeedbackID,
		Since: r.Since, Through: r.Through, Attempts: r.Attempts, CreatedAt: fromMillis(r.CreatedAt),
	}
}

type notificationRow struct {
	ProjectID      models.ID `gorm:"primaryKey"`
	UserID         models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	Mode           models.NotifyMode
	Through        int64
	NextAt         int64
	PaceAt         int64
}

func (notificationRow) TableName() string { return "notifications" }

type mailPreferencesRow struct {
	UserID   models.ID `gorm:"primaryKey"`
	TimeZone string
	Answers  bool
}

func (mailPreferencesRow) TableName() string { return "mail_preferences" }

type mailAddressRow struct {
	Hash         []byte `gorm:"primaryKey"`
	ProjectID    models.ID
	Bounces      int
	Unsubscribed bool
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
}

func (mailAddressRow) TableName() string { return "mail_addresses" }
