import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { alertWords as words } from "../text/en-alerts";
import { Choice } from "../ui/field";
import { createChime, type Chime } from "./chime";
import { notificationChoice, soundChoice, type Reach } from "./choices";

type Permission = NotificationPermission | "missing";

const permission = (): Permission => ("Notification" in window ? Notification.permission : "missing");

/** What this device does when something comes in. A section of the preferences; nothing of it reaches the server. */
export function AlertPreferences() {
  const sound = useSignal(soundChoice.get());
  const asked = useSignal(permission());
  const notifications = useSignal(asked.peek() === "granted" ? notificationChoice.get() : "off");
  const chime = useRef<Chime | null>(null);

  useEffect(() => () => chime.current?.close(), []);

  async function play(): Promise<void> {
    chime.current ??= createChime(Date.now);
    await chime.current.ready();
    chime.current.play();
  }

  async function notify(reach: Reach): Promise<void> {
    // Here and nowhere else: a question that nobody expects is answered with no, for ever.
    if (reach !== "off" && asked.value === "default") asked.value = await Notification.requestPermission();
    notifications.value = asked.value === "granted" ? reach : "off";
    notificationChoice.set(notifications.value);
  }

  const closed = asked.value === "denied" || asked.value === "missing";
  return (
    <section class="settings-section" aria-labelledby="alerts-title" data-testid="alert-preferences">
      <h2 id="alerts-title">{words.title}</h2>
      <p class="hint">{words.lead}</p>
      <div class="settings-fields">
        <Choice legend={words.sound} name="alert-sound" value={sound.value} options={words.reaches} hint={words.soundHint} onPick={(reach) => soundChoice.set((sound.value = reach))} />
        <p><button type="button" class="link" data-testid="alert-play" onClick={play}>{words.play}</button></p>
        <Choice legend={words.notifications} name="alert-notifications" value={notifications.value} options={words.reaches} hint={words.notificationsHint} disabled={closed} onPick={notify} />
        {closed && <p class="banner warn">{asked.value === "denied" ? words.denied : words.missing}</p>}
      </div>
    </section>
  );
}
