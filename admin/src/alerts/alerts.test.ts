import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ServerEvent } from "../live/events";
import { feedback, message, settled, told } from "../testing";
import { badged } from "./badge";
import { notificationChoice, soundChoice, type Reach } from "./choices";
import { createHerald } from "./herald";
import { newsIn, type News } from "./news";

beforeEach(() => localStorage.clear());

const event = (type: string, data: object): ServerEvent => ({ type, epoch: "e", seq: 7, data }) as unknown as ServerEvent;

describe("news", () => {
  const kind = (heard: ServerEvent): string | undefined => newsIn(heard, "me")?.kind;
  it("is what visitors say", () => {
    expect(newsIn(event("FeedbackReceived", feedback(1)), "me")).toEqual({ key: "p1:e:7", kind: "feedback", projectId: "p1", feedbackId: feedback(1).id, text: "message 1" });
    expect(kind(told("MessagePosted", message(1, { author: { kind: "visitor" } as never })))).toBe("answer");
  });
  it("is not what staff say, nor what is kept out of the inbox", () => {
    expect(kind(told("MessagePosted", message(1)))).toBeUndefined();
    expect(kind(told("NoteAdded", message(1)))).toBeUndefined();
    expect(kind(event("FeedbackReceived", feedback(1, { quarantined: true })))).toBeUndefined();
  });
  it("is what somebody else gives to this member", () => {
    const given = (to: string | null, by: string): ServerEvent => event("FeedbackUpdated", { id: "f", project_id: "p1", rev: 2, changes: { assignee_id: to }, by: { user_id: by, name: "" } });
    expect(kind(given("me", "other"))).toBe("assigned");
    expect(kind(given("me", "me"))).toBeUndefined();
    expect(kind(given(null, "other"))).toBeUndefined();
  });
});

function setUp(sound: Reach, notifications: Reach) {
  soundChoice.set(sound);
  notificationChoice.set(notifications);
  const work: (() => void)[] = [];
  const deps = { assignee: vi.fn(async (_: string): Promise<string | null> => "me"), me: () => "me", sound: vi.fn(), show: vi.fn() };
  const herald = createHerald({ ...deps, later: (run) => void work.push(run) });
  return { ...deps, herald, work };
}

const news = (key: string, kind: News["kind"] = "feedback"): News => ({ key, kind, projectId: "p", feedbackId: `f${key}`, text: "hello" });

describe("the herald", () => {
  it("tells the same news once, however many tabs hear it", async () => {
    const { herald, sound, show, work } = setUp("all", "all");
    for (const key of ["1", "1", "2", "1"]) await herald.take(news(key));
    expect(sound).toHaveBeenCalledTimes(2);
    expect(work).toHaveLength(1);
    work[0]?.();
    expect(show.mock.calls).toEqual([[[news("1"), news("2")]]]);
  });

  it("tells who wants their own of what is assigned to them, and asks where that is not known", async () => {
    const { herald, sound, assignee } = setUp("mine", "off");
    await herald.take(news("1"));
    expect(sound).not.toHaveBeenCalled();
    await herald.take(news("2", "assigned"));
    expect(assignee).not.toHaveBeenCalled();
    await herald.take(news("3", "answer"));
    assignee.mockResolvedValueOnce("other").mockRejectedValueOnce(new Error("away"));
    await herald.take(news("4", "answer"));
    await herald.take(news("5", "answer"));
    expect(sound).toHaveBeenCalledTimes(2);
  });

  it("is silent where nothing is wanted", async () => {
    const { herald, sound, assignee, work } = setUp("off", "off");
    await herald.take(news("1", "answer"));
    expect([sound, assignee].map((call) => call.mock.calls.length)).toEqual([0, 0]);
    expect(work).toEqual([]);
  });

  it("remembers a bounded number", async () => {
    const { herald, sound } = setUp("all", "off");
    for (let n = 0; n < 1500; n++) await herald.take(news(`${n}`));
    await herald.take(news("1499"));
    expect(sound).toHaveBeenCalledTimes(1500);
    await herald.take(news("0"));
    expect(sound).toHaveBeenCalledTimes(1501);
    await settled();
  });
});

it.each([
  ["Inbox · Shop", 0, "Inbox · Shop"],
  ["Inbox · Shop", 3, "(3) Inbox · Shop"],
  ["(3) Inbox · Shop", 120, "(99+) Inbox · Shop"],
  ["(99+) Inbox · Shop", 0, "Inbox · Shop"],
])("the title %s with %i unread is %s", (title, count, want) => expect(badged(title, count)).toBe(want));

it("a choice that is not known is the usual one", () => {
  localStorage.setItem("earshot.sound", "loud");
  expect(soundChoice.get()).toBe("mine");
  expect(notificationChoice.get()).toBe("off");
});
