import { describe, expect, it, vi } from "vitest";
import de from "./locales/de.json";
import { config, fakeFetch, FakeWebSocket, find, load, reply, settle, submit, usePage, write } from "./testing";

usePage();

describe("the panel", () => {
  it("says sent, and sends nothing twice on a second click", async () => {
    const posts = fakeFetch();
    const api = await load();
    const sent = vi.fn();
    api.on!("sent", sent);
    api.open!("idea");
    await settle();
    write("  Hello ");
    submit();
    submit();
    expect(find("#submit").textContent).toBe("Sending…");
    await settle();
    expect(posts).toHaveLength(1);
    expect(posts[0]!.body).toMatchObject({ message: "Hello", kind: "idea", page_url: location.href });
    expect(find(".panel").dataset.state).toBe("sent");
    expect(sent.mock.calls[0]![0].detail.id).toBe(posts[0]!.body.id);
  });

  it("says kept in other words, and turns to sent once it is", async () => {
    let up = false;
    fakeFetch(({ body }) => (up ? reply(201, { id: body.id }) : reply(503, {})));
    const api = await load();
    api.open!();
    await settle();
    write("Hello");
    submit();
    await settle();
    expect(find(".panel").dataset.state).toBe("kept");
    expect(find("h3").textContent).toBe("Saved for later");
    up = true;
    await settle(1_001);
    expect(find("h3").textContent).toBe("Thank you!");
  });

  it("says why a refusal is final, and keeps the text", async () => {
    fakeFetch(() => reply(403, { code: "forbidden" }));
    const api = await load();
    api.open!();
    await settle();
    write("Hello");
    submit();
    await settle();
    expect(find("[role=alert]").textContent).toContain("forbidden");
    expect(find("#message").ariaInvalid).toBe("true");
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Hello");
  });

  it.each([
    ["", "", "#message"],
    ["   ", "", "#message"],
    ["x".repeat(5_001), "", "#message"],
    ["Hello", "me@", "#email"],
  ])("finds fault before sending (%#)", async (message, email, field) => {
    const posts = fakeFetch();
    const api = await load();
    api.prefill!({ message, email });
    api.open!();
    await settle();
    submit();
    await settle();
    expect(posts).toHaveLength(0);
    expect(find("[role=alert]").textContent).not.toBe("");
    expect(find(field).ariaInvalid).toBe("true");
  });

  it("closes on Esc, but not while composing, and keeps the draft", async () => {
    const api = await load();
    api.open!();
    await settle();
    write("half a thought");
    const press = (init: KeyboardEventInit) =>
      find("#message").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, composed: true, ...init }));
    press({ isComposing: true });
    expect(find(".panel").hidden).toBe(false);
    press({});
    expect(find(".panel").hidden).toBe(true);
    api.open!();
    await settle();
    expect(find<HTMLTextAreaElement>("#message").value).toBe("half a thought");
  });

  it.each(["online", "pageshow"])("is connected again at once on %s", async (news) => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const api = await load();
    api.open!();
    await settle();
    FakeWebSocket.all[0]!.ends(1006);
    dispatchEvent(new Event(news));
    await settle();
    expect(FakeWebSocket.all).toHaveLength(2);
    vi.restoreAllMocks();
  });

  it("lets no key reach the page's shortcuts", async () => {
    const shortcut = vi.fn();
    document.addEventListener("keydown", shortcut);
    const api = await load();
    api.open!();
    await settle();
    find("#message").dispatchEvent(new KeyboardEvent("keydown", { key: "k", bubbles: true, composed: true }));
    expect(shortcut).not.toHaveBeenCalled();
    document.removeEventListener("keydown", shortcut);
  });

  it("speaks another language at run time, with the draft in place", async () => {
    fakeFetch(() => reply(200, de));
    const api = await load();
    api.open!();
    await settle();
    write("Hallo");
    api("locale", "de");
    await settle();
    expect(find("#submit").textContent).toBe("Senden");
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Hallo");
    expect(find(".root").lang).toBe("de");
  });

  it("is the next visitor's after a reset, with nothing of the one before", async () => {
    const at = Date.now();
    const body = { page_url: "https://shop.test/", message: "Ann's words", email: "ann@shop.test" };
    const entry = { id: "old", token: "t".repeat(43), body, at: 0, tries: 1, next: at, hold: at };
    localStorage.setItem("earshot:pk_test", JSON.stringify({ token: entry.token, entries: [entry] }));
    fakeFetch();
    const api = await load();
    api.reset!();
    api.open!();
    await settle();
    expect([find<HTMLTextAreaElement>("#message").value, find<HTMLInputElement>("#email").value]).toEqual(["", ""]);
    expect(localStorage.getItem("earshot:pk_test")).not.toContain("Ann");
  });

  it("stays the next visitor's when an answer to the one before comes late", async () => {
    let answer = (_: Response): void => {};
    vi.stubGlobal("fetch", () => new Promise((resolve) => (answer = resolve)));
    const api = await load();
    api.open!();
    await settle();
    write("Ann's words");
    submit();
    await settle();
    api.reset!();
    await settle();
    write("Bob's words");
    answer(reply(422, {}));
    await settle();
    expect(find(".panel").dataset.state).toBe("form");
    expect([find<HTMLTextAreaElement>("#message").value, find("[role=alert]").textContent]).toEqual(["Bob's words", ""]);
    expect(find("#submit").textContent).toBe("Send");
  });

  it("brings back what could not be delivered in seven days", async () => {
    const at = Date.now() - 8 * 86_400_000;
    const body = { page_url: "https://shop.test/", message: "Lost words" };
    const entry = { id: "old", token: "t".repeat(43), body, at, tries: 9, next: at, hold: at };
    localStorage.setItem("earshot:pk_test", JSON.stringify({ token: entry.token, entries: [entry] }));
    fakeFetch();
    const api = await load();
    api.open!();
    await settle();
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Lost words");
    expect(find("[role=alert]").textContent).not.toBe("");
    submit();
    await settle();
    expect(localStorage.getItem("earshot:pk_test")).not.toContain("Lost words");
  });
});

describe("the focus", () => {
  const focused = () => find(".root").getRootNode() as ShadowRoot;

  /** With the panel open, the visitor goes on in a field of the page. */
  async function elsewhere() {
    const api = await load();
    const field = document.createElement("input");
    document.body.append(field);
    api.open!();
    await settle();
    write("Hello");
    return { api, field };
  }

  it("goes into the panel, and back to what opened it", async () => {
    const api = await load();
    find(".launcher").focus();
    find(".launcher").click();
    await settle();
    expect(focused().activeElement?.id).toBe("message");
    api.close!();
    expect(focused().activeElement).toBe(find(".launcher"));
  });

  it("does not go back into a panel that is closing", async () => {
    const api = await load();
    find(".launcher").focus();
    find(".launcher").click();
    await settle();
    api.close!();
    api.reset!();
    expect(focused().activeElement).toBe(find(".launcher"));
  });

  it.each<[string, (api: Awaited<ReturnType<typeof load>>) => unknown]>([
    ["the page closes the panel", (api) => api.close!()],
    ["the page fills it in", (api) => api.prefill!({ email: "me@shop.test" })],
    ["the visitor signs out", (api) => api.reset!()],
    ["the language changes", (api) => api.locale!("de")],
    ["what was sent has arrived", () => submit()],
  ])("stays in a field of the page when %s", async (_, act) => {
    fakeFetch(({ url, body }) => (url.endsWith(".json") ? reply(200, de) : reply(201, { id: body.id })));
    const { api, field } = await elsewhere();
    field.focus();
    act(api);
    await settle();
    expect(document.activeElement).toBe(field);
  });

  it("stays there when what was sent is refused", async () => {
    fakeFetch(() => reply(403, { code: "forbidden" }));
    const { field } = await elsewhere();
    submit();
    field.focus();
    await settle();
    expect(find("[role=alert]").textContent).toContain("forbidden");
    expect(document.activeElement).toBe(field);
  });

  it("stays in the field that is being written in when the language comes late", async () => {
    let answer = (_: Response): void => {};
    vi.stubGlobal("fetch", () => new Promise((resolve) => (answer = resolve)));
    const api = await load(config({ locale: "de" }));
    api.open!();
    await settle(200);
    expect(find("#submit").textContent).toBe("Send");
    const email = find<HTMLInputElement>("#email");
    email.focus();
    write("me@shop", "#email");
    answer(reply(200, de));
    await settle();
    expect([find("#submit").textContent, find("h2").textContent, find<HTMLTextAreaElement>("#message").placeholder]).toEqual([de.submit, de.title, de.placeholder]);
    expect(find(".close").getAttribute("aria-label")).toBe(de.close);
    // The very same field: selection and a composition under way are the element's.
    expect(focused().activeElement).toBe(email);
    expect([find("#email"), email.value]).toEqual([email, "me@shop"]);
    submit();
    expect(find("[role=alert]").textContent).toBe(de.hint_empty);
  });
});

describe("drafts", () => {
  async function type(show_drafts: boolean, before = () => {}) {
    const api = await load(config({ show_drafts }));
    api.open!();
    await settle();
    const [socket] = FakeWebSocket.all;
    socket!.opens();
    before();
    write("my password is");
    await settle(400);
    return { socket: socket!, shared: socket!.sent.find(({ type }) => type === "DraftChanged")?.data.shared };
  }

  it("are shared only where the panel says so", async () => {
    expect((await type(true)).shared).toBe(true);
    expect(find(".share").textContent).toContain("Support can see this");
  });

  it("are not shared, nor is it said, where the project does not", async () => {
    expect((await type(false)).shared).toBe(false);
    expect(find(".share")).toBeNull();
  });

  it("are not shared once the visitor has switched that off", async () => {
    const off = () => {
      find<HTMLInputElement>("#share").checked = false;
      find("#share").dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    };
    expect((await type(true, off)).shared).toBe(false);
  });

  it("get the server's hints in the visitor's language", async () => {
    const { socket } = await type(false);
    const hints = [{ code: "secret", message: "from the server" }, { code: "new_code", message: "from the server" }];
    socket.says({ type: "DraftAccepted", data: { kind: "bug", hints } });
    socket.says({ type: "InventedLater", data: {} });
    const shown = [...find("#hints").children].map((hint) => hint.textContent);
    expect(shown).toEqual(["This looks like a password or a key. Better leave it out.", "from the server"]);
    expect(find<HTMLInputElement>("[value=bug]").checked).toBe(false);
  });
});
