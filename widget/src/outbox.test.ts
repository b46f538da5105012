import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createOutbox, OUTBOX_LIMIT, type Feedback, type Outbox } from "./outbox";
import { resumeToken, uuidv7 } from "./uuid";

const body: Feedback = { page_url: "https://shop.test/", message: "Hello" };
const open = () => createOutbox("earshot:pk_test", () => localStorage);
const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("outbox", () => {
  it("touches storage only when an entry is added", () => {
    const token = open().token();
    expect(localStorage.length).toBe(0);
    const outbox = open();
    expect(outbox.token()).not.toBe(token);
    const entry = outbox.add("a", body);
    expect(entry?.token).toBe(outbox.token());
    expect(open().token()).toBe(outbox.token());
  });

  it("holds twenty and refuses the next", () => {
    const outbox = open();
    for (let i = 0; i < OUTBOX_LIMIT; i++) expect(outbox.add(`${i}`, body)).toBeTruthy();
    expect(outbox.add("one more", body)).toBeUndefined();
    outbox.remove("3");
    expect(outbox.add("one more", body)).toBeTruthy();
  });

  it("gives an entry to one attempt at a time, in all tabs", () => {
    open().add("a", body);
    expect(open().claim()).toBeUndefined();
    vi.advanceTimersByTime(30_000);
    const [here, there] = [open(), open()];
    expect(here.claim()?.id).toBe("a");
    expect(there.claim()).toBeUndefined();
    here.hurry();
    expect(there.claim()).toBeUndefined();
  });

  it("leaves an entry whose files are under way to its page, until that is silent or gone", () => {
    const outbox = open();
    outbox.add("a", body, ["a.png", "b.png"]);
    expect(outbox.progress("a", { ...body, attachment_ids: ["f1"] }, ["b.png"])).toBe(true);
    vi.advanceTimersByTime(89_999);
    expect(open().claim()).toBeUndefined();
    vi.advanceTimersByTime(1);
    const there = open();
    expect(there.part(there.claim()!).body).toMatchObject({ attachment_ids: ["f1"], context: { lost_files: 1 } });
    expect(there.use(({ missed }) => missed)).toEqual(["b.png"]);
    // The page was only asleep: it must not send it again, and in another shape.
    expect(outbox.progress("a", { ...body, attachment_ids: ["f1", "f2"] }, [])).toBe(false);
    there.remove("a");
    expect(outbox.progress("a", { ...body, attachment_ids: ["f1", "f2"] }, [])).toBe(undefined);
  });

  it("remembers of each message what it went out without", () => {
    const outbox = open();
    for (const name of ["a", "b"]) {
      outbox.add(name, body, [`${name}.png`]);
      outbox.later(name);
    }
    outbox.hurry();
    for (let left = 2; left--; ) outbox.part(outbox.claim()!);
    expect(outbox.use(({ missed }) => missed)).toEqual(["a.png", "b.png"]);
  });

  it("tells nobody else what went out without its files", () => {
    const outbox = open();
    outbox.add("a", body, ["secret plans.pdf"]);
    outbox.later("a");
    outbox.reset();
    outbox.hurry();
    outbox.part(outbox.claim()!);
    expect(outbox.use(({ missed }) => missed)).toBeUndefined();
  });

  it("backs off with full jitter from 1 s to 5 min, under the same id", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const outbox = open();
    outbox.add("a", body);
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      outbox.later("a");
      expect(outbox.wait(), `${seconds} s`).toBe(seconds * 1_000);
      vi.advanceTimersByTime(seconds * 1_000 - 1);
      expect(outbox.claim()).toBeUndefined();
      vi.advanceTimersByTime(1);
      expect(outbox.claim()?.id).toBe("a");
    }
  });

  it("cuts its own back-off short when good news comes, but not Retry-After", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const outbox = open();
    outbox.add("a", body);
    outbox.later("a");
    outbox.hurry();
    expect(outbox.claim()?.id).toBe("a");
    outbox.later("a", 60_000);
    vi.advanceTimersByTime(59_000);
    outbox.hurry();
    expect(outbox.claim()).toBeUndefined();
    vi.advanceTimersByTime(1_000);
    expect(outbox.claim()?.id).toBe("a");
  });

  it("waits for nothing longer than it is tried, nor than a timer can", () => {
    const outbox = open();
    outbox.add("a", body);
    outbox.later("a", 90 * DAY);
    expect(outbox.wait()).toBeLessThanOrEqual(7 * DAY);
  });

  it("stores nothing where nothing waits", () => {
    const outbox = open();
    outbox.hurry();
    outbox.reset();
    expect([outbox.claim(), outbox.failed(), outbox.wait()]).toEqual([undefined, undefined, Infinity]);
    expect(localStorage.length).toBe(0);
  });

  it("gives up after seven days and then shows the entry", () => {
    const outbox = open();
    outbox.add("a", body);
    vi.advanceTimersByTime(7 * DAY - 1);
    expect(outbox.failed()).toBeUndefined();
    expect(outbox.claim()?.id).toBe("a");
    vi.advanceTimersByTime(1);
    expect(outbox.claim()).toBeUndefined();
    expect(outbox.wait()).toBe(Infinity);
    expect(open().failed()?.body).toEqual(body);
  });

  it("keeps a refused entry for its visitor to see, and never tries it again", () => {
    const outbox = open();
    outbox.add("a", body);
    outbox.fail("a");
    vi.advanceTimersByTime(60_000);
    expect(outbox.claim()).toBeUndefined();
    expect(outbox.failed()?.id).toBe("a");
  });

  it.each([
    ["refused", (outbox: Outbox) => outbox.fail("a")],
    ["too old", () => vi.advanceTimersByTime(7 * DAY)],
  ])("shows nobody else an entry that is %s, nor keeps it", (_, end) => {
    const outbox = open();
    outbox.add("a", body);
    outbox.reset();
    end(outbox);
    expect(outbox.failed()).toBeUndefined();
    expect(localStorage.getItem("earshot:pk_test")).not.toContain(body.message);
  });

  it.each<[string, () => Storage | undefined]>([
    ["off", () => undefined],
    [
      "denied",
      () => {
        throw new DOMException("denied", "SecurityError");
      },
    ],
    ["full", () => ({ getItem: () => null, setItem: () => { throw new DOMException("full", "QuotaExceededError"); } }) as never],
    ["broken", () => ({ getItem: () => "{not json", setItem: () => {} }) as never],
  ])("works in memory where storage is %s", (_, storage) => {
    const outbox = createOutbox("earshot:pk_test", storage);
    const token = outbox.token();
    expect(outbox.add("a", body)?.token).toBe(token);
    outbox.later("a");
    vi.advanceTimersByTime(1_000);
    expect(outbox.claim()?.id).toBe("a");
    expect(outbox.durable()).toBe(false);
    outbox.remove("a");
    expect(outbox.wait()).toBe(Infinity);
    outbox.reset();
    expect(outbox.token()).not.toBe(token);
  });

  it("forgets the session but not what waits", () => {
    const outbox = open();
    const before = outbox.token();
    outbox.add("a", body);
    outbox.reset();
    expect(outbox.token()).not.toBe(before);
    vi.advanceTimersByTime(30_000);
    expect(outbox.claim()?.token).toBe(before);
  });

  it.each([
    ["was told of another visitor", (other: Outbox) => other.reset()],
    ["has had its storage cleared", () => localStorage.clear()],
  ])("does not bring a session back when another tab %s", (_, end) => {
    const [here, there] = [open(), open()];
    here.add("a", body);
    const before = here.token();
    expect(there.token()).toBe(before);
    end(there);
    expect(here.token()).not.toBe(before);
    expect(here.add("b", body)?.token).toBe(there.token());
    expect(there.token()).not.toBe(before);
  });
});

describe("ids", () => {
  it("are lower-case UUIDv7 that carry the time and differ", () => {
    vi.setSystemTime(0x0195_1234_5678);
    const ids = new Set(Array.from({ length: 1_000 }, () => uuidv7()));
    expect(ids.size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^01951234-5678-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it("and tokens are 43 characters of base64url", () => {
    for (let i = 0; i < 200; i++) expect(resumeToken()).toMatch(/^[\w-]{43}$/);
  });
});
