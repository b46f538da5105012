package api

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Challenge asks for work. The answer is a text: the challenge, a colon, and
// whatever makes the SHA-256 of the whole begin with so many zero bits.
type Challenge struct {
	Challenge  string    `json:"challenge" doc:"Opaque, for this project and one submission"`
	Difficulty int       `json:"difficulty" doc:"Zero bits that the hash has to begin with"`
	ExpiresAt  time.Time `json:"expires_at"`
}

func (s *Server) getChallenge(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	given, err := s.intake.Challenge(c.UserContext(), project.ID, s.address(c))
	if err != nil {
		return err
	}
	body, err := json.Marshal(Challenge{Challenge: given.Text, Difficulty: given.Difficulty, ExpiresAt: given.ExpiresAt.UTC()})
	if err != nil {
		return err
	}
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response().Header.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(body)
}
