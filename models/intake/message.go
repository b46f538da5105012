package intake

import (
	"context"
	"net/netip"

	"earshot/models"
	"earshot/models/store"
)

// messagesPerSession bounds a visitor's messages, a minute: more than anybody
// types, and less than would bother those who read.
const messagesPerSession = 20

// MessageRequest is a visitor's message as a transport hands it over. The caller
// has proved that the session is theirs.
type MessageRequest struct {
	Project *models.Project
	Session models.ID
	Address netip.Addr
	Message models.NewMessage
}

// Message returns once a visitor's message is on disk. What is said in an item of
// another session is CodeNotFound.
func (in *Intake) Message(ctx context.Context, request MessageRequest) (store.Posted, error) {
	message := request.Message
	message.Visibility, message.Author = models.VisibilityPublic, models.Author{Kind: models.AuthorVisitor}
	if err := message.Normalize(); err != nil {
		return store.Posted{}, err
	}
	if err := in.messages.Take(ctx, string(request.Session)); err != nil {
		return store.Posted{}, err
	}
	if err := in.addresses.Take(ctx, AddressKey(request.Address)); err != nil {
		return store.Posted{}, err
	}
	return in.store.PostVisitorMessage(ctx, request.Project, request.Session, message)
}
