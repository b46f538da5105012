import { useEffect } from "preact/hooks";
import { AlertPreferences } from "../alerts/section";
import { MailPreferences } from "../mail/preferences";
import { t } from "../text/en";

/** What somebody chooses for themselves, wherever they sign in, and how this device tells them of what comes in. */
export function PreferencesPage() {
  useEffect(() => void (document.title = `${t.preferences.title} · ${t.product}`), []);
  return (
    <div class="page preferences" data-testid="preferences">
      <header class="page-head">
        <h1>{t.preferences.title}</h1>
      </header>
      <MailPreferences />
      <AlertPreferences />
    </div>
  );
}
