package operator

import "runtime/debug"

// BuiltFrom is the commit that the program was built from: the one that the linker was
// told, or that the Go command found; "unknown" where neither was.
func BuiltFrom(told string) string {
	if told != "" {
		return told
	}
	revision, changed := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				revision = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				changed = "+changes"
			}
		}
	}
	return revision + changed
}
