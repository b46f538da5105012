package protocol

import (
	"encoding/json"

	"earshot/models"
)

// Hello is the first event of a client that wants to be known again. It
// replaces the session that the socket was given at its opening.
type Hello struct {
	ResumeToken *string      `json:"resume_token,omitempty" doc:"43 characters of base64url: the visitor's own secret"`
	Epoch       models.Epoch `json:"epoch,omitempty"`
	Since       *int64       `json:"since,omitempty" doc:"The last seq seen; needs its epoch" minimum:"0"`
	PageURL     string       `json:"page_url,omitempty" doc:"Where the visitor is, http or https" maxLength:"2048"`
	Client      string       `json:"client,omitempty" doc:"Name and version of the client, for logs" maxLength:"200"`
}

// DraftChanged is the text as it is being typed. Staff see it only if Shared.
type DraftChanged struct {
	Text    string `json:"text" maxLength:"5000"`
	Shared  bool   `json:"shared,omitempty" doc:"The visitor was told that staff see the text"`
	PageURL string `json:"page_url,omitempty" maxLength:"2048"`
}

// FeedbackSubmitted is a visitor's feedback; the envelope's id becomes its id.
type FeedbackSubmitted struct {
	PageURL       string                `json:"page_url" doc:"http or https" maxLength:"2048"`
	Message       string                `json:"message" doc:"1 to 5,000 code points after trimming"`
	Kind          models.Kind           `json:"kind,omitempty"`
	Rating        *int                  `json:"rating,omitempty" minimum:"1" maximum:"5"`
	Email         string                `json:"email,omitempty" maxLength:"254"`
	Name          string                `json:"name,omitempty" maxLength:"200"`
	Context       json.RawMessage       `json:"context,omitempty" doc:"An object of the page's own making, at most 16 KiB"`
	AttachmentIDs []models.ID           `json:"attachment_ids,omitempty" maxItems:"5"`
	Identity      *models.IdentityClaim `json:"identity,omitempty" doc:"Who the visitor is to the site, signed by its back end. One that is not true is ignored"`
	Proof         *string               `json:"proof,omitempty" doc:"Answers a challenge: the challenge, a colon, and what makes the SHA-256 of the whole begin with as many zero bits as its difficulty. Send it empty to say that you can; without it, what is suspected is kept but quarantined, and you are not asked" maxLength:"200"`
	ElapsedMS     *int64                `json:"elapsed_ms,omitempty" doc:"Milliseconds from the opening of the form to its sending"`
	Website       string                `json:"website,omitempty" doc:"A trap: show the field to no person, and leave it empty"`
}

// Submission is the event as the domain knows it.
func (f FeedbackSubmitted) Submission(id models.ID) models.Submission {
	return models.Submission{
		ID: id, PageURL: f.PageURL, Message: f.Message, Kind: f.Kind, Rating: models.GivenRating(f.Rating),
		Email: f.Email, Name: f.Name, Context: f.Context, AttachmentIDs: f.AttachmentIDs,
	}
}

// Evidence is what the event tells of how it was made.
func (f FeedbackSubmitted) Evidence() models.Evidence {
	return models.Evidence{Website: f.Website, ElapsedMS: f.ElapsedMS, Proof: f.Proof, Identity: f.Identity}
}

// VisitorConnected opens every visitor's socket. The session is provisional
// until something is submitted: nothing of it is stored before.
type VisitorConnected struct {
	SessionID   models.ID     `json:"session_id"`
	ResumeToken string        `json:"resume_token"`
	Epoch       models.Epoch  `json:"epoch"`
	HeartbeatMS int64         `json:"heartbeat_ms" doc:"The server pings this often, in milliseconds"`
	Limits      VisitorLimits `json:"limits"`
}

// VisitorLimits are the bounds that a visitor's client has to keep.
type VisitorLimits struct {
	FrameBytes           int `json:"frame_bytes"`
	MessageLength        int `json:"message_length" doc:"Code points"`
	DraftLength          int `json:"draft_length" doc:"Code points"`
	FramesPerSecond      int `json:"frames_per_second"`
	DraftsPerSecond      int `json:"drafts_per_second"`
	SubmissionsPerMinute int `json:"submissions_per_minute"`
}

// DraftAccepted is the server's reading of a draft.
type DraftAccepted struct {
	Kind  models.Kind   `json:"kind,omitempty" doc:"The likely kind"`
	Hints []models.Hint `json:"hints,omitempty"`
}

// VisitorFeedbackReceived acknowledges a submission: it is on disk.
type VisitorFeedbackReceived struct {
	ID         models.ID `json:"id"`
	ReceiptURL string    `json:"receipt_url,omitempty" doc:"The visitor's private page; absent where the session is another"`
}

// StatusChanged is what a visitor learns of what staff do with an item of theirs.
type StatusChanged struct {
	FeedbackID models.ID     `json:"feedback_id"`
	Status     models.Status `json:"status"`
}

// Resumed says which part of the log followed a Hello: (From, To].
type Resumed struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// ResumeReason says why a session or a subscription cannot go on.
type ResumeReason string

// The reasons of ResumeFailed and ResyncRequired. ReasonProjectDeleted alone
// comes without having been asked for, and leaves nothing to be resumed.
const (
	ReasonUnknownToken   ResumeReason = "unknown_token"
	ReasonEpochChanged   ResumeReason = "epoch_changed"
	ReasonTooOld         ResumeReason = "too_old"
	ReasonBeyondHead     ResumeReason = "beyond_head"
	ReasonProjectDeleted ResumeReason = "project_deleted"
)

// ResumeFailed says that what was missed cannot be sent; the socket goes on
// with a session that knows nothing yet.
type ResumeFailed struct {
	Reason ResumeReason `json:"reason"`
}

func (Hello) visitorClientEvent() string             { return "Hello" }
func (DraftChanged) visitorClientEvent() string      { return "DraftChanged" }
func (FeedbackSubmitted) visitorClientEvent() string { return "FeedbackSubmitted" }

func (VisitorConnected) visitorServerEvent() string        { return "Connected" }
func (DraftAccepted) visitorServerEvent() string           { return "DraftAccepted" }
func (VisitorFeedbackReceived) visitorServerEvent() string { return "FeedbackReceived" }
func (StatusChanged) visitorServerEvent() string           { return "StatusChanged" }
func (Resumed) visitorServerEvent() string                 { return "Resumed" }
func (ResumeFailed) visitorServerEvent() string            { return "ResumeFailed" }
