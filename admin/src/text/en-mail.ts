import type { NotifyMode } from "../mail/notifications";
import { isolate } from "./isolate";

/** By the contract's own names, so that a new mode is missing here at build time. */
const modes: Record<NotifyMode, string> = { at_once: "At once", hourly: "Hourly", daily: "Daily", never: "Never" };

/** What a member is mailed. Read by the part of the preferences that is loaded with it, and by nothing on the first page. */
export const mail = {
  title: "E-mail",
  lead: (address: string) => `Goes to ${isolate(address)}. Choices are saved as you make them.`,
  off: "This server sends no e-mail: it has no mail server set up.",
  bouncing: (address: string) => `Mail to ${isolate(address)} came back three times, so none is sent any more.`,
  again: "Try the address again",
  failed: "Your e-mail choices could not be loaded.",
  notSaved: "The choice could not be saved.",
  saved: "Saved",
  answers: "Answers in items assigned to you",
  answersHint: "Within a minute, unless you have read them by then.",
  news: "New feedback",
  newsHint: "Daily mails come at eight. When much comes in, mails at once become fewer, with several items each.",
  none: "There is no project yet.",
  modes,
  zone: "Time zone",
  zoneHint: "For the hour of daily mails and the times in mails.",
  useDevice: (zone: string) => `Use ${zone}, as on this device`,
} as const;
