import type { Settings } from "../session/types";
import { t } from "../text/en";
import { Icon, KindIcon } from "../ui/icons";
import { isHex, onAccent } from "./colour";

/** The widget's own words by language, for the preview only; what the project wrote itself comes before them. */
const words = {
  en: { dir: "ltr", launcher: t.look.launcher, title: t.look.panelTitle, placeholder: t.look.placeholder, send: t.look.send, email: t.look.emailField, drafts: t.look.drafts },
  de: { dir: "ltr", launcher: "Feedback", title: "Feedback senden", placeholder: "Was möchten Sie uns sagen?", send: "Senden", email: "E-Mail (optional)", drafts: "Der Support sieht dies beim Tippen" },
  ar: { dir: "rtl", launcher: "ملاحظات", title: "أرسل ملاحظاتك", placeholder: "بماذا تفكر؟", send: "إرسال", email: "البريد الإلكتروني (اختياري)", drafts: "يرى فريق الدعم ما تكتبه" },
} as const;

/** How a visitor will see the widget. A picture, not the widget: nothing in it can be used. */
export function Preview({ settings }: { settings: Settings }) {
  const accent = isHex(settings.accent) ? settings.accent : "#4f46e5";
  const language = settings.locale === "auto" ? "en" : settings.locale;
  const own = words[language];
  const { texts } = settings;
  return (
    <figure class="preview" data-testid="preview">
      <figcaption class="visually-hidden">{t.look.preview}</figcaption>
      <div
        class={`preview-page preview-${settings.theme} at-${settings.position}`}
        style={{ "--w-accent": accent, "--w-on-accent": onAccent(accent) }}
        role="img"
        aria-label={t.look.preview}
      >
        <div class="preview-site" aria-hidden="true"><i /><i /><i /><i /></div>
        <div class="preview-panel" dir={own.dir} lang={language} aria-hidden="true">
          <p class="preview-title"><bdi>{texts.title || own.title}</bdi></p>
          {settings.kinds.length > 0 && (
            <p class="preview-kinds">
              {settings.kinds.map((kind, at) => <span key={kind} class={at === 0 ? "on" : ""}><KindIcon kind={kind} /></span>)}
            </p>
          )}
          <p class="preview-text"><bdi>{texts.placeholder || own.placeholder}</bdi></p>
          {settings.rating && <p class="preview-stars">★★★★<span>★</span></p>}
          {settings.ask_email && <p class="preview-input">{own.email}</p>}
          {settings.show_drafts && <p class="preview-note"><i />{own.drafts}</p>}
          <p class="preview-send">{own.send}</p>
        </div>
        {settings.trigger === "button" && (
          <p class="preview-launcher" dir={own.dir} aria-hidden="true"><Icon name="other" /><bdi>{texts.launcher || own.launcher}</bdi></p>
        )}
      </div>
    </figure>
  );
}
