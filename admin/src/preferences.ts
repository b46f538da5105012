/** Choices of this device. They hold no data of anybody, and losing them (private mode, full storage) does no harm. */
export type Theme = "auto" | "light" | "dark";

const themeKey = "earshot.theme";
const keysKey = "earshot.single-keys";
const signedInKey = "earshot.signed-in";

export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is off: the choice lasts until the page is left.
  }
}

export function readTheme(): Theme {
  const value = stored(themeKey);
  return value === "light" || value === "dark" ? value : "auto";
}

/** `auto` leaves the choice to the system, which CSS follows by itself. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

export function writeTheme(theme: Theme): void {
  // The usual choice is not stored: who never chose follows what becomes usual.
  store(themeKey, theme === "auto" ? null : theme);
  applyTheme(theme);
}

/** On unless turned off on this device. */
export const readSingleKeys = (): boolean => stored(keysKey) !== "off";
export const writeSingleKeys = (on: boolean): void => store(keysKey, on ? null : "off");

/** See SessionDeps.hint. */
export const signedInHint = {
  get: (): boolean => stored(signedInKey) === "yes",
  set: (signedIn: boolean): void => store(signedInKey, signedIn ? "yes" : null),
};
