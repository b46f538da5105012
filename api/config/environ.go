package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Getenv looks variables up in an environment as os.Environ gives it; the last one of
// a name counts.
func Getenv(environ []string) func(string) string {
	values := map[string]string{}
	for _, variable := range environ {
		if name, value, ok := strings.Cut(variable, "="); ok {
			values[name] = value
		}
	}
	return func(name string) string { return values[name] }
}

// testPrefix begins the names that this project's own tests read.
const testPrefix = "EARSHOT_TEST_"

// Unknown names the variables that look like settings and are none, such as one that is
// misspelt: without a word what was meant by it would not happen.
func Unknown(environ []string, settings *Settings) (names []string) {
	known := map[string]bool{}
	for _, flag := range flagsOf(settings) {
		name := EnvName(flag)
		known[name] = true
		known[name+"_FILE"] = secretFlags[flag]
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "EARSHOT_") && !strings.HasPrefix(name, testPrefix) && !known[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Set names the variables of the settings that are not as they are by default, however
// they were set.
func Set(settings *Settings) (names []string) {
	for _, flag := range kong.Must(settings).Model.Flags {
		if flag.Target.Kind() == reflect.String && flag.Target.String() != flag.Default {
			names = append(names, EnvName(flag.Name))
		}
	}
	return names
}

// flagsOf panics where a setting's tags are wrong, which is a mistake in this program.
func flagsOf(settings *Settings) (names []string) {
	for _, flag := range kong.Must(settings).Model.Flags {
		names = append(names, flag.Name)
	}
	return names
}
