import type { Project, ProjectPatch, Settings } from "../session/types";
import { readOrigins } from "./origins";

/** The settings as they are being edited. Origins are text until they are saved, so that a half-typed one can stand. */
export interface SettingsForm {
  name: string;
  origins: string;
  /** Days, as they are typed; empty keeps feedback for good. */
  retention: string;
  settings: Settings;
}

export function formOf(project: Project): SettingsForm {
  return { name: project.name, origins: project.allowed_origins.join("\n"), retention: project.retention_days ? String(project.retention_days) : "", settings: project.settings };
}

/**
 * What has to be sent: only what differs, so that two people who change different settings do not undo each other.
 * Null: nothing.
 */
export function changesOf(project: Project, form: SettingsForm): ProjectPatch | null {
  const patch: ProjectPatch = {};
  if (form.name.trim() !== project.name) patch.name = form.name.trim();
  const origins = readOrigins(form.origins);
  if (!same(origins, project.allowed_origins)) patch.allowed_origins = origins;
  const days = form.retention.trim() === "" ? 0 : Number(form.retention);
  if (days !== project.retention_days) patch.retention_days = days;
  // Setting by setting, so that a change elsewhere in the same project survives this save.
  const settings = Object.fromEntries(
    Object.entries(form.settings).filter(([key, value]) => !same(value, project.settings[key as keyof Settings])),
  ) as Partial<Settings>;
  if (Object.keys(settings).length > 0) patch.settings = settings;
  return Object.keys(patch).length > 0 ? patch : null;
}

/** Equality of plain data; an absent text and an empty one are the same choice. */
function same(a: unknown, b: unknown): boolean {
  return plain(a) === plain(b);
}

function plain(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).filter(([, entry]) => entry !== "" && entry !== undefined).sort());
}
