import { useSignal } from "@preact/signals";
import { insights as words } from "../text/en-insights";
import { formatCount } from "../text/format";

/** One bar: its name, and its parts from the bottom up. */
export interface Bar {
  label: string;
  /** Its name where there is little room: below the bar. The label itself, where it is not said. */
  short?: string;
  parts: readonly number[];
}

interface StackProps {
  bars: readonly Bar[];
  /** The names of the parts, in their order. */
  parts: readonly string[];
  title: string;
}

const width = 720;
const height = 200;
/** Above and below the lines, for the half of a label that stands over them. */
const margin = 7;

/** A round number at or above the largest bar, so that the lines behind it have round numbers, too. */
export function roundUp(n: number): number {
  if (n <= 4) return 4;
  const unit = 10 ** Math.floor(Math.log10(n));
  const step = [1, 2, 4, 5, 8, 10].find((factor) => factor * unit >= n) ?? 10;
  return step * unit;
}

/**
 * Stacked bars. What a bar holds is told on hover and by the arrow keys; all of it is in the table below, which is what
 * assistive tools are led to.
 */
export function Stack({ bars, parts, title }: StackProps) {
  const at = useSignal<number | null>(null);
  const top = roundUp(Math.max(...bars.map(({ parts: of }) => sum(of)), 0));
  const x = (index: number): number => (index * width) / bars.length;
  const y = (n: number): number => margin + (height - 2 * margin) * (1 - n / top);
  const gap = bars.length > 60 ? 0.5 : 2;
  const barWidth = Math.max(width / bars.length - gap, 1);
  const current = at.value === null ? null : bars[at.value];
  const move = (event: KeyboardEvent): void => {
    const here = at.value ?? bars.length;
    const next = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    at.value = Math.max(0, Math.min(bars.length - 1, next));
  };
  const percent = (part: number, of: number): string => `${(100 * part) / of}%`;
  // As many names below as have room beside each other, counted from the last: that is the one that is asked about.
  const every = Math.ceil(bars.length / 8);
  return (
    <figure class="chart">
      <div
        class="chart-box"
        role="group"
        aria-label={`${title}. ${words.keys}`}
        tabIndex={0}
        onKeyDown={move}
        onFocusOut={() => (at.value = null)}
        onPointerLeave={() => (at.value = null)}
      >
        <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false" preserveAspectRatio="none">
          {[0, top / 4, top / 2, (3 * top) / 4, top].map((n) => (
            <line key={n} class="grid" x1={0} x2={width} y1={y(n)} y2={y(n)} vector-effect="non-scaling-stroke" />
          ))}
          {bars.map(({ label, parts: of }, index) => {
            let below = 0;
            return (
              <g key={label} class={at.value === index ? "bar on" : "bar"} onPointerEnter={() => (at.value = index)}>
                <rect class="reach" x={x(index)} width={width / bars.length} y={0} height={height} />
                {of.map((n, part) => {
                  below += n;
                  return n > 0 && <rect key={part} class={`part-${part}`} x={x(index) + gap / 2} width={barWidth} y={y(below)} height={y(0) - y(n)} />;
                })}
              </g>
            );
          })}
        </svg>
        <div class="chart-y" aria-hidden="true">{[top, top / 2, 0].map((n) => <span key={n} style={{ top: percent(y(n), height) }}>{formatCount(n)}</span>)}</div>
        <div class="chart-x" aria-hidden="true">
          {bars.map(({ label, short = label }, index) => (bars.length - 1 - index) % every === 0 && <span key={label} data-bar={index} style={{ left: percent(index + 0.5, bars.length) }}>{short}</span>)}
        </div>
      </div>
      <p class="chart-told" aria-live="polite">
        {current ? (
          <>
            <strong>{current.label}</strong> {formatCount(sum(current.parts))}
            {current.parts.map((n, part) => n > 0 && <span key={part} class="legend-item"><i class={`key-mark part-${part}`} />{parts[part]} {formatCount(n)}</span>)}
          </>
        ) : (
          parts.map((name, part) => <span key={name} class="legend-item"><i class={`key-mark part-${part}`} />{name}</span>)
        )}
      </p>
      <details class="chart-table">
        <summary>{words.table}</summary>
        <div class="columns" tabIndex={0} role="region" aria-label={title}>
          <table>
            <caption class="visually-hidden">{title}</caption>
            <thead><tr><th scope="col">{words.day}</th><th scope="col">{words.all}</th>{parts.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
            <tbody>
              {bars.map(({ label, parts: of }) => (
                <tr key={label}><th scope="row">{label}</th><td>{formatCount(sum(of))}</td>{of.map((n, part) => <td key={part}>{formatCount(n)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

export const sum = (list: readonly number[]): number => list.reduce((all, n) => all + n, 0);

interface ShareProps {
  title: string;
  /** `after` is what matters less in a name, and is cut off first; `whole` is told on hover. */
  rows: readonly { label: string; after?: string | undefined; whole?: string; n: number; href?: string | undefined }[];
  empty: string;
}

/** Values with bars beside them, the largest as wide as there is room. A table in itself. */
export function Shares({ title, rows, empty }: ShareProps) {
  const most = Math.max(...rows.map(({ n }) => n), 1);
  return (
    <section class="panel">
      <h2>{title}</h2>
      {rows.length === 0 ? <p class="faint">{empty}</p> : (
        <table class="shares">
          <caption class="visually-hidden">{title}</caption>
          <tbody>
            {rows.map(({ label, after = "", whole = label, n, href }) => (
              <tr key={whole}>
                <th scope="row" title={whole}>{href ? <a href={href}><bdi>{label}</bdi></a> : <bdi>{label}</bdi>}{after && <bdi class="faint"> {after}</bdi>}</th>
                <td class="share" aria-hidden="true"><svg viewBox="0 0 100 8" preserveAspectRatio="none" focusable="false"><rect width={(100 * n) / most} height="8" rx="1" /></svg></td>
                <td class="number">{formatCount(n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
