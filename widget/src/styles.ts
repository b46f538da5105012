/** Side by side, and imported before all code: what is alike packs best together. */
export { default as launcherCSS } from "./launcher.css?inline";
export { default as panelCSS } from "./panel.css?inline";
