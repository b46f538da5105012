import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useDashboard } from "../context";
import { t } from "../text/en";
import { mail } from "../text/en-mail";
import { Choice, Field, Switch } from "../ui/field";
import { explain } from "../workspace";
import { createNotifying, deviceZone, modeOf, withMode, zones, type Notifications, type Notifying } from "./notifications";

/** What this person is mailed. A section of the preferences; each choice is stored as it is made. */
export function MailPreferences() {
  const { session } = useDashboard();
  const notifying = useMemo(() => createNotifying(session), [session]);
  useEffect(() => void notifying.read(), [notifying]);
  const state = notifying.state.value;
  return (
    <section class="settings-section" aria-labelledby="mail-title" data-testid="mail-preferences">
      <h2 id="mail-title">{mail.title}</h2>
      {state.name === "failed" && (
        <p class="banner bad" role="alert">
          {mail.failed} <button type="button" class="link" onClick={() => notifying.read()}>{t.common.retry}</button>
        </p>
      )}
      {state.name === "ready" && <Choices notifying={notifying} chosen={state.chosen} />}
    </section>
  );
}

interface ChoicesProps {
  notifying: Notifying;
  chosen: Notifications;
}

function Choices({ notifying, chosen }: ChoicesProps) {
  const { notices } = useDashboard();
  const saved = useSignal("");
  const change: Notifying["change"] = async (part) => {
    saved.value = "";
    try {
      await notifying.change(part);
      saved.value = mail.saved;
    } catch (cause) {
      notices.show(`${mail.notSaved} ${explain(cause)}`, "bad");
    }
  };
  return (
    <>
      {chosen.enabled ? <p class="hint">{mail.lead(chosen.address)}</p> : <p class="banner warn" data-testid="mail-off">{mail.off}</p>}
      {chosen.enabled && chosen.bouncing && (
        <p class="banner bad">
          {mail.bouncing(chosen.address)} <button type="button" class="link" onClick={() => change({})}>{mail.again}</button>
        </p>
      )}
      <fieldset class="plain settings-fields" disabled={!chosen.enabled}>
        <Switch label={mail.answers} hint={mail.answersHint} checked={chosen.answers} onToggle={(answers) => change({ answers })} testid="mail-answers" />
        <News chosen={chosen} onChange={change} />
        <Zone chosen={chosen} onChange={change} />
      </fieldset>
      <p class="hint" role="status">{saved.value}</p>
    </>
  );
}

interface PartProps {
  chosen: Notifications;
  onChange: Notifying["change"];
}

/** Every project of the organisation, in the order of the front page. */
function News({ chosen, onChange }: PartProps) {
  const { workspace } = useDashboard();
  const projects = workspace.projects.value ?? [];
  return (
    <div class="mail-news" role="group" aria-labelledby="mail-news">
      <div>
        <h3 id="mail-news">{mail.news}</h3>
        <p class="hint">{projects.length > 0 ? mail.newsHint : mail.none}</p>
      </div>
      {projects.map(({ id, name }) => (
        <Choice
          key={id}
          legend={name}
          name={`mail-${id}`}
          value={modeOf(chosen, id)}
          options={mail.modes}
          onPick={(mode) => onChange({ projects: withMode(chosen, id, mode) })}
        />
      ))}
    </div>
  );
}

function Zone({ chosen, onChange }: PartProps) {
  const zone = chosen.time_zone;
  const device = deviceZone();
  const list = useMemo(() => zones(zone), [zone]);
  return (
    <div class="settings-fields mail-zone">
      <Field label={mail.zone} hint={mail.zoneHint}>
        {(wiring) => (
          <select {...wiring} class="select" value={zone} data-testid="mail-zone" onChange={(event) => onChange({ time_zone: event.currentTarget.value })}>
            {list.map((name) => <option key={name} value={name}>{name.replaceAll("_", " ")}</option>)}
          </select>
        )}
      </Field>
      {device && device !== zone && (
        <p><button type="button" class="link" onClick={() => onChange({ time_zone: device })}>{mail.useDevice(device)}</button></p>
      )}
    </div>
  );
}
