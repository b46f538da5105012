package models

import "github.com/danielgtaylor/huma/v2"

// The schemas of the value types, so that a list of allowed values is written
// once: in the type's own list.

// Schema implements huma.SchemaProvider.
func (ID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid", Description: "UUIDv7"}
}

// Schema implements huma.SchemaProvider.
func (Assignee) Schema(registry huma.Registry) *huma.Schema {
	s := ID("").Schema(registry)
	s.Nullable = true
	return s
}

// Schema implements huma.SchemaProvider.
func (Kind) Schema(huma.Registry) *huma.Schema { return enumSchema(Kinds()) }

// Schema implements huma.SchemaProvider.
func (Status) Schema(huma.Registry) *huma.Schema { return enumSchema(Statuses()) }

// Schema implements huma.SchemaProvider.
func (Priority) Schema(huma.Registry) *huma.Schema { return enumSchema(Priorities()) }

// Schema implements huma.SchemaProvider.
func (Role) Schema(huma.Registry) *huma.Schema {
	return enumSchema([]Role{RoleOwner, RoleAdmin, RoleAgent, RoleViewer})
}

// Schema implements huma.SchemaProvider.
func (AuthorKind) Schema(huma.Registry) *huma.Schema {
	return enumSchema([]AuthorKind{AuthorVisitor, AuthorMember})
}

// Schema implements huma.SchemaProvider.
func (Visibility) Schema(huma.Registry) *huma.Schema {
	return enumSchema([]Visibility{VisibilityPublic, VisibilityInternal})
}

// Schema implements huma.SchemaProvider.
func (JobKind) Schema(huma.Registry) *huma.Schema { return enumSchema([]JobKind{JobExport}) }

// Schema implements huma.SchemaProvider.
func (JobStatus) Schema(huma.Registry) *huma.Schema { return enumSchema(JobStatuses()) }

// Schema implements huma.SchemaProvider.
func (ExportFormat) Schema(huma.Registry) *huma.Schema {
	return enumSchema([]ExportFormat{ExportCSV, ExportJSONL})
}

// Schema implements huma.SchemaProvider.
func (KeyScope) Schema(huma.Registry) *huma.Schema { return enumSchema(KeyScopes()) }

// Schema implements huma.SchemaProvider.
func (AuditAction) Schema(huma.Registry) *huma.Schema {
	s := enumSchema(AuditActions())
	s.Description, s.Examples = "For programs; never changes", []any{string(AuditRoleChanged)}
	return s
}

// Schema implements huma.SchemaProvider.
func (Code) Schema(huma.Registry) *huma.Schema {
	return enumSchema(Codes())
}

func enumSchema[T ~string](values []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, value := range values {
		s.Enum = append(s.Enum, string(value))
	}
	return s
}

// Schema implements huma.SchemaProvider.
func (NotifyMode) Schema(huma.Registry) *huma.Schema { return enumSchema(NotifyModes()) }
