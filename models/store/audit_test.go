package store

import (
	"strings"
	"testing"

	"earshot/models"
)

// Whatever somebody changes in the log behind the server's back shows, and the server
// itself cannot change it either.
func TestAuditChain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ sql, want string }{
		"nothing":            {"", ""},
		"another actor":      {"UPDATE audit SET actor_id = 'x' WHERE n = 2", "line 2 is not as it was written"},
		"another action":     {"UPDATE audit SET action = 'project.changed' WHERE n = 2", "line 2 is not as it was written"},
		"another time":       {"UPDATE audit SET at = at + 1 WHERE n = 1", "line 1 is not as it was written"},
		"another detail":     {`UPDATE audit SET detail = '{"role":"viewer"}' WHERE n = 1`, "line 1 is not as it was written"},
		"a line less":        {"DELETE FROM audit WHERE n = 2", "line 2 is missing"},
		"the first line":     {"DELETE FROM audit WHERE n = 1", "line 1 is missing"},
		"a line of its own":  {"INSERT INTO audit SELECT organization_id, 4, at, actor_kind, actor_id, address, action, object_kind, object_id, project_id, detail, mac FROM audit WHERE n = 3", "line 4 is not as it was written"},
		"two lines swapped":  {"UPDATE audit SET n = 9 WHERE n = 1; UPDATE audit SET n = 1 WHERE n = 2; UPDATE audit SET n = 2 WHERE n = 9", "line 1 is not as it was written"},
		"where a field ends": {"UPDATE audit SET object_kind = object_kind || substr(object_id, 1, 1), object_id = substr(object_id, 2) WHERE n = 3", "line 3 is not as it was written"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, nil)
			s.writer.auditKey = []byte("a key that is not in the database")
			scope, _ := newProject(t, s)
			second := &models.Project{Name: "Shop", AllowedOrigins: models.Origins{}, Settings: models.DefaultSettings()}
			if err := s.CreateProject(t.Context(), scope, second); err != nil {
				t.Fatal(err)
			}
			if tc.sql != "" {
				unlock := either("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; ",
					"DROP TRIGGER audit_no_update ON audit; DROP TRIGGER audit_no_delete ON audit; ")
				if err := s.exec(t, unlock+tc.sql); err != nil {
					t.Fatal(err)
				}
			}
			lines := 0
			err := s.EachAudit(t.Context(), scope, func(models.AuditEntry) error { lines++; return nil })
			if tc.want == "" {
				if err != nil || lines != 3 {
					t.Errorf("%d lines, %v", lines, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	newProject(t, s)
	for _, sql := range []string{"UPDATE audit SET actor_id = 'x'", "DELETE FROM audit"} {
		if err := s.exec(t, sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want it refused", sql, err)
		}
	}
}

func (s *Store) exec(t *testing.T, sql string) error {
	return s.writer.do(t.Context(), false, func(tx *tx) error { return tx.orm().Exec(sql).Error })
}
