package store

import (
	"encoding/json"
	"fmt"
	"time"

	"earshot/models"
)

// The rows are the schema as gorm reads and writes it; the migrations are the
// truth and a test holds these against them. Times are Unix milliseconds, so
// that both dialects sort and compare them alike.

type organizationRow struct {
	ID        models.ID `gorm:"primaryKey"`
	Name      string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (organizationRow) TableName() string { return "organizations" }

type userRow struct {
	ID           models.ID `gorm:"primaryKey"`
	Email        string
	Name         string
	PasswordHash string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`

	EmailVerifiedAt *int64
	TOTPSecret      []byte `gorm:"column:totp_secret"`
	TOTPConfirmedAt *int64 `gorm:"column:totp_confirmed_at"`
	TOTPStep        int64  `gorm:"column:totp_step"`
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() models.User {
	return models.User{
		ID: r.ID, Email: r.Email, Name: r.Name, PasswordHash: r.PasswordHash, EmailVerified: r.EmailVerifiedAt != nil,
		SecondFactor: r.TOTPConfirmedAt != nil, CreatedAt: fromMillis(r.CreatedAt),
	}
}

type memberRow struct {
	OrganizationID models.ID `gorm:"primaryKey"`
	UserID         models.ID `gorm:"primaryKey"`
	Role           models.Role
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
}

func (memberRow) TableName() string { return "members" }

type sessionRow struct {
	ID             models.ID `gorm:"primaryKey"`
	UserID         models.ID
	OrganizationID models.ID
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	ExpiresAt      int64
	RevokedAt      *int64
	Agent          string
	Address        string
	UsedAt         int64
}

func (sessionRow) TableName() string { return "sessions" }

func (r sessionRow) session() models.Session {
	return models.Session{
		ID: r.ID, UserID: r.UserID, OrganizationID: r.OrganizationID,
		SignIn:    models.SignIn{Agent: r.Agent, Address: r.Address},
		CreatedAt: fromMillis(r.CreatedAt), UsedAt: fromMillis(r.UsedAt), ExpiresAt: fromMillis(r.ExpiresAt),
	}
}

type refreshTokenRow struct {
	Hash      []byte `gorm:"primaryKey"`
	SessionID models.ID
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	RotatedAt *int64
}

func (refreshTokenRow) TableName() string { return "refresh_tokens" }

type oneTimeTokenRow struct {
	Hash      []byte `gorm:"primaryKey"`
	Purpose   string
	Payload   string
	ExpiresAt int64
}

func (oneTimeTokenRow) TableName() string { return "one_time_tokens" }

type metaRow struct {
	Name  string `gorm:"primaryKey"`
	Value string
}

func (metaRow) TableName() string { return "meta" }

type projectRow struct {
	ID              models.ID `gorm:"primaryKey"`
	OrganizationID  models.ID
	Name            string
	Key             string
	KeyDisabled     bool
	AllowedOrigins  models.Origins         `gorm:"serializer:json"`
	Settings        models.ProjectSettings `gorm:"serializer:json"`
	RetentionDays   int
	IdentityVersion int   `gorm:"default:1"`
	CreatedAt       int64 `gorm:"autoCreateTime:false"`
	UpdatedAt       int64 `gorm:"autoUpdateTime:false"`
}

func (projectRow) TableName() string { return "projects" }

func (r projectRow) project() models.Project {
	return models.Project{
		ID: r.ID, OrganizationID: r.OrganizationID, Name: r.Name, Key: r.Key, KeyDisabled: r.KeyDisabled,
		AllowedOrigins: r.AllowedOrigins, Settings: r.Settings, RetentionDays: r.RetentionDays, IdentityVersion: r.IdentityVersion,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

type removalRow struct {
	ProjectID models.ID `gorm:"primaryKey"`
	CreatedAt int64     `gorm:"autoCreateTime:false"`
}

func (removalRow) TableName() string { return "removals" }

type visitorSessionRow struct {
	ProjectID  models.ID `gorm:"primaryKey"`
	ResumeHash []byte    `gorm:"primaryKey"`
	ID         models.ID
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
}

func (visitorSessionRow) TableName() string { return "visitor_sessions" }

type feedbackRow struct {
	N                 int64     `gorm:"primaryKey;autoIncrement"`
	ID                models.ID `gorm:"column:id"`
	OrganizationID    models.ID
	ProjectID         models.ID
	SessionID         models.ID
	Seq               int64
	Fingerprint       []byte
	Message           string
	PageURL           string
	Kind              models.Kind
	Rating            int
	Email             string
	Name              string
	Context           string
	Status            models.Status
	AssigneeID        models.ID
	Tags              []string `gorm:"serializer:json"`
	Priority          int
	Rev               int64
	Quarantined       bool
	QuarantineReasons []string `gorm:"serializer:json"`
	ReceiptVersion    int
	CreatedAt         int64 `gorm:"autoCreateTime:false"`
	UpdatedAt         int64 `gorm:"autoUpdateTime:false"`
	ErasedAt          *int64
	FirstReplyAt      *int64
	ResolvedAt        *int64
	VisitorAt         int64
	// AddressHash is a keyed hash of where it came from; "" where that is not known.
	AddressHash string
	Attachments int
	Identity    string
}

func (feedbackRow) TableName() string { return "feedback" }

func (r *feedbackRow) feedback() *models.Feedback {
	f := &models.Feedback{
		ID: r.ID, OrganizationID: r.OrganizationID, ProjectID: r.ProjectID, SessionID: r.SessionID,
		Message: r.Message, PageURL: r.PageURL, Kind: r.Kind, Rating: r.Rating, Email: r.Email, Name: r.Name,
		Status: r.Status, AssigneeID: r.AssigneeID, Tags: r.Tags, Priority: models.PriorityOfRank(r.Priority), Rev: r.Rev,
		Quarantined: r.Quarantined, QuarantineReasons: r.QuarantineReasons, ReceiptVersion: r.ReceiptVersion, Attachments: r.Attachments, Identity: r.Identity,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt), VisitorAt: fromMillis(r.VisitorAt),
	}
	if r.Context != "" {
		f.Context = json.RawMessage(r.Context)
	}
	return f
}

type eventRow struct {
	ProjectID  models.ID `gorm:"primaryKey"`
	Seq        int64     `gorm:"primaryKey"`
	Type       models.EventType
	FeedbackID models.ID
	Data       string
	At         int64
}

func (eventRow) TableName() string { return "events" }

type messageRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	FeedbackID     models.ID
	UserID         models.ID
	AuthorName     string
	Internal       bool
	Fingerprint    []byte
	Body           string
	Rev            int64
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	UpdatedAt      int64 `gorm:"autoUpdateTime:false"`
	DeletedAt      *int64
}

func (messageRow) TableName() string { return "messages" }

func (r messageRow) message() models.Message {
	m := models.Message{
		ID: r.ID, ProjectID: r.ProjectID, FeedbackID: r.FeedbackID, Visibility: models.VisibilityPublic,
		Author: models.Author{Kind: models.AuthorVisitor, UserID: r.UserID, Name: r.AuthorName}, Body: r.Body, Rev: r.Rev,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt), Deleted: r.DeletedAt != nil,
	}
	if r.UserID != "" {
		m.Author.Kind = models.AuthorMember
	}
	if r.Internal {
		m.Visibility = models.VisibilityInternal
	}
	return m
}

type readRow struct {
	UserID     models.ID `gorm:"primaryKey"`
	FeedbackID models.ID `gorm:"primaryKey"`
	At         int64
}

func (readRow) TableName() string { return "reads" }

type jobRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	UserID         models.ID
	Kind           models.JobKind
	Status         models.JobStatus
	Request        string
	Checkpoint     string
	Done           int64
	Total          int64
	Error          string
	Cancelling     bool
	Withdrawn      bool
	Refused        int64
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	UpdatedAt      int64 `gorm:"autoUpdateTime:false"`
	FinishedAt     *int64
}

func (jobRow) TableName() string { return "jobs" }

func (r jobRow) job() (models.Job, error) {
	job := models.Job{
		ID: r.ID, OrganizationID: r.OrganizationID, ProjectID: r.ProjectID, UserID: r.UserID, Kind: r.Kind, Status: r.Status,
		Done: r.Done, Total: r.Total, Error: r.Error, Cancelling: r.Cancelling, Withdrawn: r.Withdrawn,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
	if r.Checkpoint != "" {
		job.Checkpoint = json.RawMessage(r.Checkpoint)
	}
	if r.FinishedAt != nil {
		at := fromMillis(*r.FinishedAt)
		job.FinishedAt = &at
	}
	var request any = &job.Export
	if r.Kind == models.JobImport {
		request = &job.Import
	}
	if err := json.Unmarshal([]byte(r.Request), request); err != nil {
		return job, fmt.Errorf("decode job %s: %w", r.ID, err)
	}
	job.Import.Refused = r.Refused
	return job, nil
}

type searchRemovalRow struct {
	ID int64 `gorm:"primaryKey"`
	N  int64
	// Again: the item was changed, and is to be taken in as it is now.
	Again bool
}

func (searchRemovalRow) TableName() string { return "search_removals" }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
