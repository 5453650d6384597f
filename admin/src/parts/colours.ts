// A brand's one colour made into the shades that pages are drawn with, each of which can be read (WCAG 2.2, 1.4.3).
import type { MantineColorsTuple } from '@mantine/core';

type RGB = [number, number, number];

const form = /^#[0-9a-f]{6}$/i;

export function isColour(text: string): boolean {
  return form.test(text);
}

function read(colour: string): RGB {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) as RGB;
}

function write(rgb: RGB): string {
  return `#${rgb.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('')}`;
}

// mix is a colour with a share of another in it.
function mix(colour: string, other: string, share: number): string {
  const a = read(colour);
  const b = read(other);
  return write(a.map((c, i) => c * (1 - share) + (b[i] ?? 0) * share) as RGB);
}

// luminance is relative, 0 to 1.
function luminance(colour: string): number {
  const [r, g, b] = read(colour).map((c) => {
    const v = c / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as RGB;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const white = '#ffffff';
const black = '#000000';

// textOn is black or white, whichever is read better on a colour.
export function textOn(colour: string): string {
  const light = luminance(colour);
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? black : white;
}

// until mixes a colour with another in small steps until it is right.
function until(colour: string, other: string, right: (luminance: number) => boolean): string {
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = mix(colour, other, share);
    if (right(luminance(mixed))) return mixed;
  }
  return other;
}

const readsWhite = 0.179; // the most luminance on which white has a contrast of 4.5
const readsBlack = 0.3; // from which on buttons have black text (autoContrast)

// shadesOf makes a palette of a colour: 0 the lightest, 9 the darkest. A colour on which buttons would have white text that is hard to read
// is darkened a little.
export function shadesOf(colour: string): MantineColorsTuple {
  const base = luminance(colour) > readsWhite && luminance(colour) < readsBlack ? until(colour, black, (l) => l <= readsWhite) : colour;
  const hover = luminance(base) > readsWhite ? mix(base, black, 0.06) : mix(base, black, 0.14);
  const dark = until(mix(base, black, 0.3), black, (l) => l < 0.07);
  return [mix(base, white, 0.9), mix(base, white, 0.8), mix(base, white, 0.65), mix(base, white, 0.5), mix(base, white, 0.3), mix(base, white, 0.15), base, base, hover, dark];
}
