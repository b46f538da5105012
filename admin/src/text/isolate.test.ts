import { describe, expect, it } from "vitest";
import * as account from "./en-account";
import * as alerts from "./en-alerts";
import * as conversation from "./en-conversation";
import * as entry from "./en-entry";
import * as insights from "./en-insights";
import * as item from "./en-item";
import * as jobs from "./en-jobs";
import * as mail from "./en-mail";
import * as palette from "./en-palette";
import * as quarantine from "./en-quarantine";
import * as settings from "./en-settings";
import * as team from "./en-team";
import * as triage from "./en-triage";
import * as views from "./en-views";
import * as visitors from "./en-visitors";
import * as first from "./en";
import { isolate } from "./isolate";

it.each([
  ["a name", "Ann", "\u2068Ann\u2069"],
  ["one that turns what follows around", "Ann\u202e", "\u2068Ann\u2069"],
  ["one that ends the isolate", "\u2069\u202eAnn", "\u2068Ann\u2069"],
  ["one in another direction", "\u05d0\u05d1", "\u2068\u05d0\u05d1\u2069"],
  ["marks", "\u200eA\u200fn\u061cn", "\u2068Ann\u2069"],
  ["one of two paragraphs, the first of which would end it", "Ann\u2029Bo\nCem", "\u2068Ann Bo Cem\u2069"],
])("isolates %s", (_, text, want) => expect(isolate(text)).toBe(want));

/** Of those what is put in is ours: a moment, a number, a choice of ours, a name that the dashboard gives itself. */
const ours: ReadonlySet<string> = new Set([
  "account.from", "account.signOutLead", "account.signOutOf", "account.signOutTitle", "account.signedOut", "account.used",
  "alertWords.several", "conversation.left", "conversation.tooLong", "connectionRetry.next", "connectionRetry.soon",
  "filters.days", "inbox.doneLead", "inbox.rating", "insights.asOf", "insights.less", "insights.more", "insights.p90",
  "insights.stars", "insights.week", "join.until", "look.faint", "look.onButton", "look.visible", "mail.useDevice",
  "programs.used", "team.joined", "team.until", "triage.change", "triage.changed", "triage.did.priority", "triage.did.status",
  "visitors.by", "visitors.exampleLabel", "visitors.until",
]);

/** Every text of a dictionary that something is put into, by its name. */
function templates(value: unknown, name: string): [string, (...given: unknown[]) => unknown][] {
  if (typeof value === "function") return [[name, value as () => unknown]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => templates(inner, name ? `${name}.${key}` : key));
}

describe("a foreign text in a sentence", () => {
  const all = [account, alerts, conversation, entry, insights, item, jobs, mail, palette, quarantine, settings, team, triage, views, visitors, first.en].flatMap((words) => templates({ ...words }, ""));
  const foreign = "\u202eweiver";
  /** All that a template makes of it. Some take a list, or a role after the name; what takes numbers says nothing of it. */
  const said = (template: (...given: unknown[]) => unknown): string =>
    [[foreign, foreign], [[foreign], [foreign]], [foreign, "viewer"]].map((given) => {
      try {
        return String(template(...given));
      } catch {
        return "";
      }
    }).join();

  it.each(all.filter(([name]) => !ours.has(name)))("%s", (_, template) => expect(said(template)).not.toContain("\u202e"));

  it("is said by those that are tested for it", () => {
    const silent = all.filter(([name, template]) => !ours.has(name) && !said(template).includes("weiver")).map(([name]) => name);
    expect(silent).not.toContain("team.roleChanged");
    expect(all.length - ours.size - silent.length).toBeGreaterThan(40);
  });

  it("is one of many", () => expect(all.length).toBeGreaterThan(60));
});
