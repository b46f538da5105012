import { applyTheme, readTheme } from "./preferences";

applyTheme(readTheme());
