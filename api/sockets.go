package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/store"
)

const ticketLifetime = 30 * time.Second

// Ticket opens one socket, once.
type Ticket struct {
	Ticket    string    `json:"ticket" doc:"For the query of the socket's address"`
	ExpiresAt time.Time `json:"expires_at"`
}

type ticketOutput struct{ Body Ticket }

type ticketInput struct {
	Body *struct{} `required:"false"`
}

// ticketPayload is what a ticket stands for: the session, for as long as the
// access token that bought it.
type ticketPayload struct {
	Session   models.ID `json:"session"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (s *Server) createTicket(ctx context.Context, _ *ticketInput) (*ticketOutput, error) {
	claims := askerOf(ctx).claims
	ticket := models.NewToken()
	expires := s.now().Add(ticketLifetime).UTC().Truncate(time.Millisecond)
	payload := ticketPayload{Session: claims.SessionID, ExpiresAt: claims.ExpiresAt}
	if err := s.store.PutToken(ctx, store.PurposeTicket, models.HashToken(ticket), payload, ticketLifetime); err != nil {
		return nil, err
	}
	return &ticketOutput{Body: Ticket{Ticket: ticket, ExpiresAt: expires}}, nil
}

// dashboardSocket upgrades a member's request. Who it is, is settled first: the
// ticket is used up even if the handshake then fails.
func (s *Server) dashboardSocket(c *fiber.Ctx) error {
	if !s.sameOrigin(c) {
		return models.Errorf(models.CodeForbidden, "this socket is for the dashboard's own pages, which are at %s", s.config.BaseURL)
	}
	if err := checkStaffQuery(c, []string{"ticket"}); err != nil {
		return err
	}
	claims, err := s.socketClaims(c)
	if err != nil {
		return err
	}
	who, err := s.actor(c.UserContext(), claims)
	if err != nil {
		return err
	}
	return s.realtime.UpgradeDashboard(c, claims, who.Name, s.address(c))
}

// socketClaims reads the ticket, or the access token of a program that can send
// headers with its upgrade.
func (s *Server) socketClaims(c *fiber.Ctx) (models.Claims, error) {
	ctx := c.UserContext()
	ticket := c.Query("ticket")
	if ticket == "" {
		token, ok := bearer(c)
		if !ok {
			return models.Claims{}, models.Errorf(models.CodeUnauthorized, "a ticket is needed")
		}
		return s.authenticateFor(ctx, token, models.ScopeFeedbackRead)
	}
	var payload ticketPayload
	if err := s.store.TakeToken(ctx, store.PurposeTicket, models.HashToken(ticket), &payload); err != nil {
		return models.Claims{}, err
	}
	claims, err := s.store.Authorize(ctx, payload.Session)
	claims.ExpiresAt = payload.ExpiresAt
	return claims, err
}

// visitorSocket upgrades a visitor's request once key and origin are in order.
func (s *Server) visitorSocket(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	return s.realtime.UpgradeVisitor(c, project, s.address(c))
}
