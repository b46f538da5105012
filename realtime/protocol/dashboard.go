package protocol

import (
	"time"

	"earshot/models"
)

// Subscribe asks for a project's events: live from the head, or everything
// after Since first. Since 0 is the start of the replay window; any other needs
// the epoch it was counted in.
type Subscribe struct {
	ProjectID models.ID    `json:"project_id"`
	Epoch     models.Epoch `json:"epoch,omitempty"`
	Since     *int64       `json:"since,omitempty" minimum:"0"`
}

// Unsubscribe ends a subscription.
type Unsubscribe struct {
	ProjectID models.ID `json:"project_id"`
}

// Reauthenticate brings the same user's fresh access token.
type Reauthenticate struct {
	Token string `json:"token"`
}

// DashboardConnected opens every dashboard's socket.
type DashboardConnected struct {
	UserID      models.ID       `json:"user_id"`
	SessionID   models.ID       `json:"session_id"`
	HeartbeatMS int64           `json:"heartbeat_ms" doc:"The server pings this often, in milliseconds"`
	Limits      DashboardLimits `json:"limits"`
}

// DashboardLimits are the bounds that a dashboard has to keep.
type DashboardLimits struct {
	FrameBytes      int `json:"frame_bytes"`
	FramesPerSecond int `json:"frames_per_second"`
	Subscriptions   int `json:"subscriptions" doc:"Projects at once on one socket"`
}

// Subscribed answers Subscribe. Head is the log's last seq at that moment.
type Subscribed struct {
	ProjectID models.ID    `json:"project_id"`
	Epoch     models.Epoch `json:"epoch"`
	Head      int64        `json:"head"`
}

// DashboardFeedbackReceived is a new item in a project's inbox.
type DashboardFeedbackReceived struct {
	ID          models.ID    `json:"id"`
	ProjectID   models.ID    `json:"project_id"`
	Message     string       `json:"message"`
	PageURL     string       `json:"page_url"`
	Kind        *models.Kind `json:"kind" nullable:"true"`
	Rating      *int         `json:"rating" nullable:"true" minimum:"1" maximum:"5"`
	CreatedAt   time.Time    `json:"created_at"`
	Quarantined bool         `json:"quarantined" doc:"Suspected: kept out of the inbox until released"`
	// AttachmentCount is of its files, which the item itself names.
	AttachmentCount int     `json:"attachment_count,omitempty" doc:"How many files it has, where it has any"`
	Visitor         Visitor `json:"visitor"`
}

// Visitor is what is known of a feedback's author.
type Visitor struct {
	SessionID models.ID `json:"session_id"`
	Name      *string   `json:"name" nullable:"true"`
	Email     *string   `json:"email" nullable:"true"`
	// Identity is the only one of these that is not the visitor's word alone.
	Identity *string `json:"identity,omitempty" doc:"The site's own id of the visitor, where the site has signed it"`
}

// FeedbackUpdated names what changed in an item, with its new revision.
type FeedbackUpdated struct {
	ID        models.ID      `json:"id"`
	ProjectID models.ID      `json:"project_id"`
	Rev       int64          `json:"rev"`
	Changes   models.Changes `json:"changes"`
	By        models.Actor   `json:"by"`
}

// FeedbackImported says that an import has brought items, too many to tell of each:
// read the list anew.
type FeedbackImported struct {
	ProjectID models.ID `json:"project_id"`
	JobID     models.ID `json:"job_id"`
	Count     int64     `json:"count"`
}

// FeedbackErased removes an item from the screen, for good. It also stands in
// the log in place of every event of an item that was erased.
type FeedbackErased struct {
	ID        models.ID `json:"id"`
	ProjectID models.ID `json:"project_id"`
}

// DashboardDraftChanged is a visitor typing. Text is there only while the
// visitor shares it.
type DashboardDraftChanged struct {
	ProjectID models.ID `json:"project_id"`
	SessionID models.ID `json:"session_id"`
	Text      *string   `json:"text,omitempty"`
	PageURL   string    `json:"page_url"`
}

// PresenceState is who is here: members with the project open, and the number
// of visitors with a socket.
type PresenceState struct {
	ProjectID models.ID `json:"project_id"`
	Members   []Member  `json:"members"`
	Visitors  int       `json:"visitors"`
	// Pages are those with the most visitors, as far as these have told.
	Pages []PagePresence `json:"pages,omitempty" doc:"At most 20, without query and fragment"`
}

// PagePresence is how many visitors are on a page.
type PagePresence struct {
	PageURL  string `json:"page_url"`
	Visitors int    `json:"visitors"`
}

// Member is a member of staff who has a project open.
type Member struct {
	UserID     models.ID `json:"user_id"`
	Name       string    `json:"name"`
	FeedbackID models.ID `json:"feedback_id,omitempty"`
	Typing     bool      `json:"typing"`
}

// AuthExpiring asks for a Reauthenticate before At; without one the socket is
// closed with CloseTokenExpired.
type AuthExpiring struct {
	At time.Time `json:"at"`
}

// ResyncRequired says that the subscription has ended, and why. Where Since
// could not be served: fetch the project anew and subscribe from Head. Where the
// project was deleted: fetching it finds nothing, and there is none to follow.
type ResyncRequired struct {
	ProjectID models.ID    `json:"project_id"`
	Reason    ResumeReason `json:"reason"`
	Epoch     models.Epoch `json:"epoch"`
	Head      int64        `json:"head"`
}

func (Subscribe) dashboardClientEvent() string      { return "Subscribe" }
func (Unsubscribe) dashboardClientEvent() string    { return "Unsubscribe" }
func (Reauthenticate) dashboardClientEvent() string { return "Reauthenticate" }

func (DashboardConnected) dashboardServerEvent() string        { return "Connected" }
func (Subscribed) dashboardServerEvent() string                { return "Subscribed" }
func (DashboardFeedbackReceived) dashboardServerEvent() string { return "FeedbackReceived" }
func (FeedbackUpdated) dashboardServerEvent() string           { return "FeedbackUpdated" }
func (FeedbackImported) dashboardServerEvent() string          { return "FeedbackImported" }
func (FeedbackErased) dashboardServerEvent() string            { return "FeedbackErased" }
func (DashboardDraftChanged) dashboardServerEvent() string     { return "DraftChanged" }
func (PresenceState) dashboardServerEvent() string             { return "PresenceState" }
func (AuthExpiring) dashboardServerEvent() string              { return "AuthExpiring" }
func (ResyncRequired) dashboardServerEvent() string            { return "ResyncRequired" }
