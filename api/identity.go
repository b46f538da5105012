package api

import (
	"context"

	"earshot/models"
)

// IdentitySecret is what a site's back end signs its visitors' identities with.
type IdentitySecret struct {
	Secret string `json:"secret" doc:"Keep it in the back end: whoever has it can say to be any visitor"`
}

type identitySecretOutput struct{ Body IdentitySecret }

func (s *Server) getIdentitySecret(ctx context.Context, in *ProjectPath) (*identitySecretOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	project, err := s.store.Project(ctx, claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &identitySecretOutput{Body: IdentitySecret{Secret: s.intake.IdentitySecret(project)}}, nil
}

type rotateIdentityInput struct {
	ProjectPath
	Body *struct{} `required:"false"`
}

// rotateIdentitySecret makes a new secret; what the old one has signed counts no more.
func (s *Server) rotateIdentitySecret(ctx context.Context, in *rotateIdentityInput) (*identitySecretOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	project, err := s.store.UpdateProject(ctx, claims.Scope, models.ID(in.ID), func(p *models.Project) error {
		p.IdentityVersion++
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &identitySecretOutput{Body: IdentitySecret{Secret: s.intake.IdentitySecret(project)}}, nil
}
