import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createOutbox, OUTBOX_LIMIT, type Feedback } from "./outbox";
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

  it("keeps an entry out of other tabs' hands while it is in flight", () => {
    open().add("a", body);
    expect(open().due(true)).toEqual([]);
    vi.advanceTimersByTime(30_000);
    expect(open().due().map(({ id }) => id)).toEqual(["a"]);
    open().hold("a");
    expect(open().due(true)).toEqual([]);
  });

  it("backs off with full jitter from 1 s to 5 min, under the same id", () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const outbox = open();
    outbox.add("a", body);
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      outbox.later("a");
      expect(outbox.wait(), `${seconds} s`).toBe(seconds * 1_000);
      expect(outbox.due()).toEqual([]);
      expect(outbox.due(true).map(({ id }) => id)).toEqual(["a"]);
      vi.advanceTimersByTime(seconds * 1_000);
      expect(outbox.due().map(({ id }) => id)).toEqual(["a"]);
    }
  });

  it("honours Retry-After even when good news comes early", () => {
    const outbox = open();
    outbox.add("a", body);
    outbox.later("a", 60_000);
    vi.advanceTimersByTime(59_000);
    expect(outbox.due(true)).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(outbox.due(true)).toHaveLength(1);
  });

  it("gives up after seven days and then shows the entry", () => {
    const outbox = open();
    outbox.add("a", body);
    vi.advanceTimersByTime(7 * DAY - 1);
    expect(outbox.due()).toHaveLength(1);
    expect(outbox.failed()).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(outbox.due(true)).toEqual([]);
    expect(outbox.wait()).toBe(Infinity);
    expect(open().failed()?.body).toEqual(body);
  });

  it("keeps a refused entry for the visitor to see, and never tries it again", () => {
    const outbox = open();
    outbox.add("a", body);
    outbox.fail("a");
    vi.advanceTimersByTime(60_000);
    expect(outbox.due(true)).toEqual([]);
    expect(outbox.failed()?.id).toBe("a");
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
    expect(outbox.due()).toHaveLength(1);
    expect(outbox.durable()).toBe(false);
    outbox.remove("a");
    expect(outbox.due()).toEqual([]);
  });

  it("forgets the session but not what waits", () => {
    const outbox = open();
    const before = outbox.token();
    outbox.add("a", body);
    outbox.reset();
    expect(outbox.token()).not.toBe(before);
    vi.advanceTimersByTime(30_000);
    expect(outbox.due()[0]?.token).toBe(before);
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
