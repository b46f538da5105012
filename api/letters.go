package api

import (
	"context"
	"time"

	"earshot/models"
	"earshot/models/mail"
)

// lettersPerHour bounds the letters to one address, and those that one address asks
// for; invitesPerHour those of an organisation's invitations.
const (
	lettersPerHour = 20
	invitesPerHour = 200
)

// lettersBehind is how many are made at once, behind their answers.
const lettersBehind = 32

// letter is a mail about an account, and for how long its link is good.
type letter struct {
	mail.Letter
	lifetime time.Duration
}

// sendLetter has a letter sent; false where there is no mail server, or the letter
// could not be kept.
func (s *Server) sendLetter(ctx context.Context, l letter) bool {
	if s.mails == nil {
		return false
	}
	if err := s.mails.Post(ctx, l.Letter, l.lifetime); err != nil {
		s.log.Error("keep letter", "error", err)
		return false
	}
	return true
}

func (s *Server) inviteLetter(ctx context.Context, claims models.Claims, invite models.Invite, link string) letter {
	who, organization := "Somebody", "an organisation"
	if inviter, err := s.store.User(ctx, claims.UserID); err == nil {
		who = displayName(inviter)
	}
	if memberships, err := s.store.Memberships(ctx, claims.UserID); err == nil {
		for _, m := range memberships {
			if m.Organization.ID == claims.Scope.Organization() {
				organization = m.Organization.Name
			}
		}
	}
	return letter{mail.Letter{
		To: invite.Email, Subject: "Join " + organization + " on Earshot", Title: who + " invited you to " + organization,
		Text: "The link works once, within seven days.", Button: "Join", Link: link,
		Why: "You get this mail because " + who + " entered your address. If you do not know them, ignore it: nothing happens.",
	}, inviteLifetime}
}

func resetLetter(to, link string) letter {
	return letter{mail.Letter{
		To: to, Subject: "Your new password", Title: "Choose a new password",
		Text: "The link works once, within an hour. It ends all your sessions.", Button: "Choose a password", Link: link,
		Why: "You get this mail because somebody asked for a new password for your account. If it was not you, ignore it: your password stays as it is.",
	}, resetLifetime}
}

func verifyLetter(to, link string) letter {
	return letter{mail.Letter{
		To: to, Subject: "Confirm your address", Title: "Is this your address?",
		Text: "The link works once, within three days.", Button: "Confirm", Link: link,
		Why: "You get this mail because an account was made with your address. If it was not you, ignore it: an address that is not confirmed proves nothing.",
	}, verifyLifetime}
}
