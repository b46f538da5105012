package api

import (
	"cmp"
	"context"
	"slices"

	"earshot/models"
)

// Notifications is what the member is mailed.
type Notifications struct {
	TimeZone string                `json:"time_zone" doc:"IANA name; daily mails come at eight by its clock" example:"Europe/Berlin"`
	Answers  bool                  `json:"answers" doc:"What visitors answer in items assigned to you, unless you have read it within a minute"`
	Projects []ProjectNotification `json:"projects" nullable:"false" doc:"Those whose new feedback is mailed; all others never"`
	Enabled  bool                  `json:"enabled" doc:"Whether this server sends e-mail at all"`
	Address  string                `json:"address" doc:"Where it goes"`
	Bouncing bool                  `json:"bouncing" doc:"The address has refused mail for good, so none is sent; to put the choices again tries it anew"`
}

// NotificationChoices is what a member chooses to be mailed, all of it.
type NotificationChoices struct {
	TimeZone string                `json:"time_zone" maxLength:"64" doc:"IANA name; daily mails come at eight by its clock" example:"Europe/Berlin"`
	Answers  bool                  `json:"answers" doc:"What visitors answer in items assigned to you, unless you have read it within a minute"`
	Projects []ProjectNotification `json:"projects" nullable:"false" maxItems:"1000" doc:"Those whose new feedback is mailed; all others never"`
}

// ProjectNotification is when new feedback of one project is mailed.
type ProjectNotification struct {
	ProjectID   models.ID         `json:"project_id"`
	NewFeedback models.NotifyMode `json:"new_feedback" doc:"at_once is within seconds; past twelve mails in a row, one every five minutes"`
}

type notificationsOutput struct{ Body Notifications }

func (s *Server) notificationRoutes() {
	const tag = "Notifications"
	register(s, operation{
		method: "GET", path: "/api/v1/me/notifications", id: "get-notifications", tag: tag,
		summary: "What you are mailed",
	}, s.getNotifications)
	register(s, operation{
		method: "PUT", path: "/api/v1/me/notifications", id: "put-notifications", tag: tag,
		summary: "Choose what you are mailed, in this organisation's projects",
	}, s.putNotifications)
}

func (s *Server) getNotifications(ctx context.Context, _ *struct{}) (*notificationsOutput, error) {
	claims := askerOf(ctx).claims
	user, err := s.store.User(ctx, claims.UserID)
	if err != nil {
		return nil, err
	}
	wants, err := s.store.Notifications(ctx, claims.Scope, claims.UserID)
	if err != nil {
		return nil, err
	}
	body := Notifications{
		TimeZone: wants.TimeZone, Answers: wants.Answers, Projects: []ProjectNotification{}, Enabled: s.config.Mail != nil, Address: user.Email, Bouncing: wants.Bouncing,
	}
	for id, mode := range wants.Projects {
		body.Projects = append(body.Projects, ProjectNotification{ProjectID: id, NewFeedback: mode})
	}
	slices.SortFunc(body.Projects, func(a, b ProjectNotification) int { return cmp.Compare(a.ProjectID, b.ProjectID) })
	return &notificationsOutput{Body: body}, nil
}

type putNotificationsInput struct{ Body NotificationChoices }

func (s *Server) putNotifications(ctx context.Context, in *putNotificationsInput) (*notificationsOutput, error) {
	claims := askerOf(ctx).claims
	wants := models.Notifications{TimeZone: in.Body.TimeZone, Answers: in.Body.Answers, Projects: map[models.ID]models.NotifyMode{}}
	for _, project := range in.Body.Projects {
		if _, twice := wants.Projects[project.ProjectID]; twice {
			return nil, models.InvalidField("projects", "names a project twice")
		}
		wants.Projects[project.ProjectID] = project.NewFeedback
	}
	if err := wants.Check(); err != nil {
		return nil, err
	}
	if err := s.store.SetNotifications(ctx, claims.Scope, claims.UserID, wants); err != nil {
		return nil, err
	}
	return s.getNotifications(ctx, nil)
}
