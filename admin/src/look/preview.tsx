// The widget's own dictionaries: a preview that says something else than the widget would be worse than none.
import ar from "../../../widget/src/locales/ar.json";
import de from "../../../widget/src/locales/de.json";
import en from "../../../widget/src/locales/en.json";
import filesAr from "../../../widget/src/live/locales/ar.json";
import filesDe from "../../../widget/src/live/locales/de.json";
import filesEn from "../../../widget/src/live/locales/en.json";
import type { Settings } from "../session/types";
import { look as lookText } from "../text/en-settings";
import { Icon, KindIcon } from "../ui/icons";
import { isHex, onAccent } from "./colour";

/** By the names that `settings.locale` uses. `auto` has no entry: callers choose a language to show. */
export const widgetWords = { en, de, ar };
const filesWords = { en: filesEn, de: filesDe, ar: filesAr };

/** From a frown to a smile: where the ends of the mouth lie above its middle. */
const moods = ["M5.5 11.3Q8 8.7 10.5 11.3", "M5.5 10.9Q8 9.5 10.5 10.9", "M5.5 10.4H10.5", "M5.5 9.8Q8 11.3 10.5 9.8", "M5.5 9.3Q8 12.3 10.5 9.3"];

/** How a visitor will see the widget. A picture, not the widget: nothing in it can be used. */
export function Preview({ settings }: { settings: Settings }) {
  // While a colour is being typed it is none yet; the picture keeps the usual one.
  const accent = isHex(settings.accent) ? settings.accent : "#4f46e5";
  // "As the visitor's browser" is many languages; English stands for them.
  const locale = settings.locale === "auto" ? "en" : settings.locale;
  const words = widgetWords[locale];
  const dir = words.lang === "ar" ? "rtl" : "ltr";
  return (
    <figure class="preview" data-testid="preview">
      <figcaption class="visually-hidden">{lookText.preview}</figcaption>
      <div
        class={`preview-page preview-${settings.theme} at-${settings.position}`}
        style={{ "--w-accent": accent, "--w-on-accent": onAccent(accent) }}
        // One picture with one name: its parts are not controls, and must not be read as such.
        role="img"
        aria-label={lookText.preview}
      >
        <div class="preview-site" aria-hidden="true"><i /><i /><i /><i /></div>
        <div class="preview-panel" dir={dir} lang={words.lang} aria-hidden="true">
          <Panel settings={settings} words={words} files={filesWords[locale]} />
        </div>
        {settings.trigger === "button" && (
          <p class="preview-launcher" dir={dir} aria-hidden="true"><Icon name="other" /><bdi>{settings.texts.launcher || words.launcher}</bdi></p>
        )}
      </div>
    </figure>
  );
}

/** The same parts in the same order as the widget's own form, left out under the same conditions. */
function Panel({ settings, words, files }: { settings: Settings; words: typeof en; files: typeof filesEn }) {
  return (
    <>
      <p class="preview-title"><bdi>{settings.texts.title || words.title}</bdi></p>
      {settings.kinds.length > 1 && (
        <>
          <p class="preview-label">{words.kind}</p>
          <p class="preview-kinds">
            {settings.kinds.map((kind, at) => <span key={kind} class={at === 0 ? "on" : ""}><KindIcon kind={kind} />{words[kind]}</span>)}
          </p>
        </>
      )}
      <p class="preview-label">{words.message}</p>
      <p class="preview-text"><bdi>{settings.texts.placeholder || words.placeholder}</bdi></p>
      <p class="preview-tools"><span><Icon name="clip" />{files.attach}</span><span><Icon name="device" />{files.shot}</span></p>
      {settings.rating && (
        <>
          <p class="preview-label">{words.rating}</p>
          <p class="preview-moods">
            {moods.map((mouth) => (
              <svg key={mouth} class="icon" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.5" /><path d={`M6 6.3v.1M10 6.3v.1${mouth}`} /></svg>
            ))}
          </p>
        </>
      )}
      {settings.ask_email && (
        <>
          <p class="preview-label">{words.email} <small>{words.emailHelp}</small></p>
          <p class="preview-input" />
        </>
      )}
      {settings.show_drafts && <p class="preview-note">{words.draft}<i /></p>}
      <p class="preview-send">{words.submit}</p>
    </>
  );
}
