export type Status = "new" | "open" | "in_progress" | "resolved" | "closed";
export type Kind = "bug" | "idea" | "question" | "praise" | "other";
export type Role = "owner" | "admin" | "agent" | "viewer";

export interface Me {
  user: { id: string; email: string; name: string };
  organization: { id: string; name: string };
  role: Role;
  organizations: { id: string; name: string; role: Role }[];
}

export interface Texts {
  launcher?: string;
  title?: string;
  placeholder?: string;
  thanks?: string;
}

export interface Settings {
  accent: string;
  theme: "auto" | "light" | "dark";
  position: "right" | "left";
  kinds: Kind[];
  rating: boolean;
  ask_email: boolean;
  locale: "auto" | "en" | "de" | "ar";
  texts: Texts;
  show_drafts: boolean;
  trigger: "button" | "none";
}

export interface Project {
  id: string;
  name: string;
  key: string;
  allowed_origins: string[];
  snippet: string;
  settings: Settings;
  created_at: string;
  updated_at: string;
}

export type CreatedProject = Project;

export interface ProjectPatch {
  name?: string;
  allowed_origins?: string[];
  settings?: Partial<Settings>;
}

export interface Feedback {
  id: string;
  project_id: string;
  message: string;
  page_url: string;
  kind: Kind | null;
  rating: number | null;
  email: string | null;
  name: string | null;
  context: Record<string, unknown> | null;
  status: Status;
  rev: number;
  quarantined: boolean;
  quarantine_reasons: string[];
  created_at: string;
  updated_at: string;
  visitor: { session_id: string; name: string | null; email: string | null };
}

export interface FeedbackPage {
  items: Feedback[];
  next_cursor: string | null;
  total?: number;
  total_is?: string;
}

export interface Ticket {
  ticket: string;
  expires_at: string;
}
