import { useSignal } from "@preact/signals";
import { useTitle } from "../entry/card";
import { account as words } from "../text/en-account";
import { FactorSection } from "./factor-section";
import { PasswordSection } from "./password-section";
import { ProfileSection } from "./profile-section";
import { SessionsSection } from "./sessions-section";

/** What is somebody's own, in whatever organisation they are. */
export function AccountPage() {
  useTitle(words.title);
  // Raised where something has ended sessions, so that the list is read again.
  const ended = useSignal(0);
  return (
    <div class="page" data-testid="account">
      <header class="page-head">
        <h1>{words.title}</h1>
      </header>
      <ProfileSection />
      <PasswordSection onChanged={() => void ended.value++} />
      <FactorSection />
      <SessionsSection ended={ended.value} />
    </div>
  );
}
