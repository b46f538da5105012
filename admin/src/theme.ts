import { applyTheme, readTheme } from "./preferences";

// Nothing else belongs here: the first paint waits for this script.
applyTheme(readTheme());
