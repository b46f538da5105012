package models

import "time"

// The bounds of attachments.
const (
	// MaxAttachment is a file's size in bytes.
	MaxAttachment = 10 << 20
	// MaxAttachments is how many a submission may name.
	MaxAttachments = 5
	// AttachmentClaim is how long a file waits for a submission that names it.
	AttachmentClaim = time.Hour
)

// Attachment is a visitor's file, as it is kept.
type Attachment struct {
	ID        ID
	ProjectID ID
	// FeedbackID is whose it is; "" until a submission names it.
	FeedbackID  ID
	Name        string
	ContentType string
	Size        int64
	// Width and Height are an image's in pixels, 0 of anything else.
	Width, Height int
	CreatedAt     time.Time
}
