import { describe, expect, it } from "vitest";
import { settled } from "../testing";
import { createNotifying, modeOf, withMode, zones, type Notifications } from "./notifications";

const start: Notifications = { enabled: true, address: "a@example.com", bouncing: false, time_zone: "UTC", answers: true, projects: [] };

/** A server that answers when it is told to. */
function server() {
  const waiting: { body: Partial<Notifications>; answer(): void; refuse(): void }[] = [];
  const request = <T>(method: string, _path: string, body?: unknown): Promise<T> =>
    method === "GET"
      ? Promise.resolve(start as T)
      : new Promise<T>((resolve, reject) => {
          const sent = body as Partial<Notifications>;
          waiting.push({ body: sent, answer: () => resolve({ ...start, ...sent } as T), refuse: () => reject(new Error("no")) });
        });
  return { request, waiting };
}

const chosen = ({ state }: ReturnType<typeof createNotifying>): Notifications => {
  if (state.value.name !== "ready") throw new Error(state.value.name);
  return state.value.chosen;
};

describe("what a member is mailed", () => {
  it("shows a choice at once and stores all of them, one after the other", async () => {
    const { request, waiting } = server();
    const notifying = createNotifying({ request });
    await notifying.read();
    void notifying.change({ answers: false });
    void notifying.change({ projects: withMode(chosen(notifying), "p1", "daily") });
    await settled();
    expect(chosen(notifying)).toMatchObject({ answers: false, projects: [{ project_id: "p1", new_feedback: "daily" }] });
    expect(waiting.map(({ body }) => body)).toEqual([{ time_zone: "UTC", answers: false, projects: [] }]);
    waiting[0]?.answer();
    await settled();
    // The first answer does not take the second choice off the screen.
    expect(modeOf(chosen(notifying), "p1")).toBe("daily");
    expect(waiting[1]?.body).toEqual({ time_zone: "UTC", answers: false, projects: [{ project_id: "p1", new_feedback: "daily" }] });
  });

  it("goes back to what is stored where it could not be", async () => {
    const { request, waiting } = server();
    const notifying = createNotifying({ request });
    await notifying.read();
    const change = notifying.change({ time_zone: "Europe/Berlin" });
    await settled();
    waiting[0]?.refuse();
    await expect(change).rejects.toThrow("no");
    expect(chosen(notifying).time_zone).toBe("UTC");
  });

  it("never is not being in the list", () => {
    const daily = { ...start, projects: withMode(start, "p1", "daily") };
    expect(modeOf(daily, "p1")).toBe("daily");
    expect(withMode(daily, "p1", "never")).toEqual([]);
    expect(modeOf(daily, "p2")).toBe("never");
  });

  it("offers the chosen zone, also one that the browser does not know", () => {
    expect(zones("Mars/Olympus")).toContain("Mars/Olympus");
    expect(zones("UTC").filter((zone) => zone === "UTC")).toHaveLength(1);
  });
});
