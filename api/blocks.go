package api

import (
	"context"
	"strings"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// Block holds back what comes from an address or a session, or has a word in it.
type Block struct {
	ID        models.ID        `json:"id"`
	ProjectID models.ID        `json:"project_id"`
	Kind      models.BlockKind `json:"kind" enum:"address,session,word"`
	Label     string           `json:"label" doc:"The word, the session's id, or what staff call the address; that itself is not kept"`
	Note      string           `json:"note"`
	CreatedBy models.ID        `json:"created_by"`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt *time.Time       `json:"expires_at" nullable:"true" doc:"null: it stays"`
}

func blockBody(b models.Block) Block {
	return Block{
		ID: b.ID, ProjectID: b.ProjectID, Kind: b.Kind, Label: b.Label, Note: b.Note, CreatedBy: b.CreatedBy,
		CreatedAt: b.CreatedAt, ExpiresAt: protocol.OrNull(b.ExpiresAt),
	}
}

// BlockList is a page of blocks, the newest first.
type BlockList struct {
	Items      []Block `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64  `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string  `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

func (s *Server) blockRoutes() {
	const tag = "Abuse"
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/quarantine/summary", id: "summarize-quarantine", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "How much is held back, and why",
	}, s.summarizeQuarantine)
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/blocks", id: "list-blocks", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "A project's blocks, the newest first",
	}, s.listBlocks)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/blocks", id: "create-block", scope: models.ScopeProjectsWrite, tag: tag, status: 201,
		summary: "Hold back what comes from an address or a session, or has a word in it",
	}, s.createBlock)
	register(s, operation{
		method: "DELETE", path: "/api/v1/blocks/{id}", id: "delete-block", scope: models.ScopeProjectsWrite, tag: tag, status: 204,
		summary: "Lift a block; what it held back stays so until it is released",
	}, s.deleteBlock)
}

type listBlocksInput struct {
	ProjectPath
	PageQuery
}

type listBlocksOutput struct{ Body BlockList }

func (s *Server) listBlocks(ctx context.Context, in *listBlocksInput) (*listBlocksOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanTriage() {
		return nil, errRole()
	}
	list, err := s.store.BlockList(ctx, claims.Scope, models.ID(in.ID), in.page())
	if err != nil {
		return nil, err
	}
	body := BlockList{Items: []Block{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, block := range list.Items {
		body.Items = append(body.Items, blockBody(block))
	}
	return &listBlocksOutput{Body: body}, nil
}

// NewBlock says what to block: a word, an address or a session, the latter two also
// by an item that came from there.
type NewBlock struct {
	Kind       models.BlockKind `json:"kind" enum:"address,session,word"`
	FeedbackID *models.ID       `json:"feedback_id,omitempty" doc:"Of address and session: that of this item's sender"`
	Address    string           `json:"address,omitempty" doc:"Of address: one of IPv4 or IPv6. Of the latter its /64 is blocked"`
	SessionID  *models.ID       `json:"session_id,omitempty" doc:"Of session"`
	Word       string           `json:"word,omitempty" doc:"Of word: 3 to 200 code points, found in message, name, email and page_url whatever the case"`
	Label      string           `json:"label,omitempty" doc:"What to call an address; at most 200 code points"`
	Note       string           `json:"note,omitempty" doc:"At most 500 code points"`
	ExpiresAt  *time.Time       `json:"expires_at,omitempty"`
}

type createBlockInput struct {
	ProjectPath
	Body NewBlock
}

type blockOutput struct{ Body Block }

func (s *Server) createBlock(ctx context.Context, in *createBlockInput) (*blockOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	block := models.Block{
		ProjectID: models.ID(in.ID), Kind: in.Body.Kind, Label: in.Body.Label, Note: in.Body.Note, CreatedBy: claims.UserID,
	}
	if in.Body.ExpiresAt != nil {
		block.ExpiresAt = *in.Body.ExpiresAt
	}
	if err := s.aimBlock(ctx, claims.Scope, in.Body, &block); err != nil {
		return nil, err
	}
	if err := block.Normalize(s.now()); err != nil {
		return nil, err
	}
	block, err := s.store.CreateBlock(ctx, claims.Scope, block)
	if err != nil {
		return nil, err
	}
	s.realtime.ReviewVisitors(block.ProjectID)
	return &blockOutput{Body: blockBody(block)}, nil
}

// aimBlock finds what a block is to be compared with.
func (s *Server) aimBlock(ctx context.Context, scope models.Scope, in NewBlock, block *models.Block) error {
	if _, err := s.store.Project(ctx, scope, block.ProjectID); err != nil {
		return err
	}
	switch in.Kind {
	case models.BlockWord:
		block.Value, block.Label = in.Word, strings.TrimSpace(in.Word)
		return nil
	case models.BlockAddress:
		if in.FeedbackID == nil {
			address, err := models.ReadAddress(in.Address)
			block.Value = s.intake.AddressHash(block.ProjectID, address)
			return err
		}
	case models.BlockSession:
		if in.FeedbackID == nil && in.SessionID == nil {
			return models.InvalidField("session_id", "is missing, and so is feedback_id")
		}
	}
	if in.FeedbackID != nil {
		return s.aimAtSender(ctx, scope, *in.FeedbackID, block)
	}
	value, err := s.store.SessionValue(ctx, block.ProjectID, *in.SessionID)
	if err == nil && value == "" {
		err = models.InvalidField("session_id", "is no session of this project")
	}
	block.Value, block.Label = value, string(*in.SessionID)
	return err
}

// aimAtSender has a block compared with who sent an item of its project.
func (s *Server) aimAtSender(ctx context.Context, scope models.Scope, feedback models.ID, block *models.Block) error {
	item, err := s.store.Feedback(ctx, scope, feedback)
	if err != nil {
		return err
	}
	if item.ProjectID != block.ProjectID {
		return models.Errorf(models.CodeNotFound, "the project has no such item")
	}
	address, session, err := s.store.Sender(ctx, scope, feedback)
	if err != nil {
		return err
	}
	if block.Value = address; block.Kind == models.BlockSession {
		block.Value, block.Label = session, string(item.SessionID)
	}
	if block.Value == "" {
		return models.InvalidField("feedback_id", "is an item of which this is not known")
	}
	return nil
}

// BlockPath names a block in a call's address.
type BlockPath struct {
	ID string `path:"id" doc:"The block's id"`
}

func (s *Server) deleteBlock(ctx context.Context, in *BlockPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	project, err := s.store.DeleteBlock(ctx, claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	s.realtime.ReviewVisitors(project)
	return nil, nil
}
