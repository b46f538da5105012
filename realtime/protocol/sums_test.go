package protocol

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// sums are the four by the method that seals them.
var sums = map[string][]EventType{
	"visitorClientEvent":   VisitorClient.Events(),
	"visitorServerEvent":   VisitorServer.Events(),
	"dashboardClientEvent": DashboardClient.Events(),
	"dashboardServerEvent": DashboardServer.Events(),
}

// A type that seals itself into a sum but is missing in the sum's list could be
// sent and never received. The compiler cannot see that; the sources can.
func TestSumsListEveryEvent(t *testing.T) {
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // one folder without build tags
	if err != nil {
		t.Fatal(err)
	}
	sealed := map[string][]string{}
	for _, file := range packages["protocol"].Files {
		for _, decl := range file.Decls {
			method, ok := decl.(*ast.FuncDecl)
			if !ok || method.Recv == nil {
				continue
			}
			if _, isSum := sums[method.Name.Name]; !isSum {
				continue
			}
			receiver, ok := method.Recv.List[0].Type.(*ast.Ident)
			if !ok {
				t.Errorf("%s has a receiver that is no plain struct", method.Name.Name)
				continue
			}
			sealed[method.Name.Name] = append(sealed[method.Name.Name], receiver.Name)
		}
	}
	for method, events := range sums {
		var listed []string
		for _, event := range events {
			listed = append(listed, event.Type.Name())
		}
		slices.Sort(listed)
		slices.Sort(sealed[method])
		if !slices.Equal(listed, sealed[method]) {
			t.Errorf("%s: the list in protocol.go has\n%v, the types with that method are\n%v", method, listed, sealed[method])
		}
	}
}

func TestEventNames(t *testing.T) {
	pascal := regexp.MustCompile(`^([A-Z][a-z]+)+$`)
	snake := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for method, events := range sums {
		seen := map[string]bool{}
		for _, event := range events {
			if !pascal.MatchString(event.Name) {
				t.Errorf("%s: %q is not PascalCase", method, event.Name)
			}
			if seen[event.Name] {
				t.Errorf("%s: %q names two events", method, event.Name)
			}
			seen[event.Name] = true
			if !strings.HasSuffix(event.Type.Name(), event.Name) {
				t.Errorf("%s: %s is called %q on the wire", method, event.Type.Name(), event.Name)
			}
			for i := range event.Type.NumField() {
				field := event.Type.Field(i)
				if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); !snake.MatchString(name) {
					t.Errorf("%s.%s is called %q on the wire, want snake_case", event.Type.Name(), field.Name, name)
				}
			}
		}
	}
}

// The unions of the documents are made from the same lists.
func TestSchemasHaveEveryEvent(t *testing.T) {
	registry := huma.NewMapRegistry(schemaPath, huma.DefaultSchemaNamer)
	AddSchemas(registry)
	for union, events := range map[string][]EventType{
		"VisitorClientEvent": VisitorClient.Events(), "VisitorServerEvent": VisitorServer.Events(),
		"DashboardClientEvent": DashboardClient.Events(), "DashboardServerEvent": DashboardServer.Events(),
	} {
		s := registry.Map()[union]
		if s == nil || len(s.OneOf) != len(events) || len(s.Discriminator.Mapping) != len(events) {
			t.Errorf("the schema of %s is %+v, want %d variants", union, s, len(events))
			continue
		}
		for _, event := range events {
			envelope := registry.SchemaFromRef(s.Discriminator.Mapping[event.Name])
			if envelope == nil || !reflect.DeepEqual(envelope.Properties["type"].Enum, []any{event.Name}) {
				t.Errorf("%s: the mapping of %s leads to %+v", union, event.Name, envelope)
			}
		}
	}
}
