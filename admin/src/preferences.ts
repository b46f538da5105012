/** Choices of this device. They hold no data of anybody, and losing them (private mode, full storage) does no harm. */
export type Theme = "auto" | "light" | "dark";

const themeKey = "earshot.theme";
const keysKey = "earshot.single-keys";
const signedInKey = "earshot.signed-in";

function get(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function put(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is off: the choice lasts until the page is left.
  }
}

export function readTheme(): Theme {
  const value = get(themeKey);
  return value === "light" || value === "dark" ? value : "auto";
}

/** `auto` leaves the choice to the system, which CSS follows by itself. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

export function writeTheme(theme: Theme): void {
  // The usual choice is not stored: who never chose follows what becomes usual.
  put(themeKey, theme === "auto" ? null : theme);
  applyTheme(theme);
}

/** On unless turned off on this device. */
export const readSingleKeys = (): boolean => get(keysKey) !== "off";
export const writeSingleKeys = (on: boolean): void => put(keysKey, on ? null : "off");

/** See SessionDeps.hint. */
export const signedInHint = {
  get: (): boolean => get(signedInKey) === "yes",
  set: (signedIn: boolean): void => put(signedInKey, signedIn ? "yes" : null),
};
