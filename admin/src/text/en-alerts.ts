import type { Reach } from "../alerts/choices";
import type { News } from "../alerts/news";
import { isolate } from "./isolate";

const reaches: Record<Reach, string> = { off: "Off", mine: "Mine", all: "All" };
const headline: Record<News["kind"], (project: string) => string> = {
  feedback: (project) => `New feedback · ${isolate(project)}`,
  answer: (project) => `A visitor answered · ${isolate(project)}`,
  assigned: (project) => `Assigned to you · ${isolate(project)}`,
};

/** Read by what is loaded after the first page, and by nothing on it. */
export const alertWords = {
  title: "Alerts on this device",
  lead: "For the project that is open. The number of unread items is always in the window's title.",
  sound: "Sound",
  soundHint: "Mine: what is assigned to you, and answers in it. One window makes it, however many are open.",
  play: "Play the sound",
  notifications: "Notifications",
  notificationsHint: "Shown while you look at something else. They hold the first words of the visitor.",
  denied: "This browser was told not to show notifications of this address. Its settings for the address can change that.",
  missing: "This browser shows no notifications here.",
  reaches,
  headline,
  several: (count: number, project: string) => `${count} new · ${isolate(project)}`,
} as const;
