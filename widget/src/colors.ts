import type { Config } from './settings.ts';

const size = (value: number | string | undefined, least: number) => {
  const number = Number.parseInt(String(value), 10);
  return number > 0 && `${Math.max(least, number)}px`;
};

/** The configuration as CSS custom properties. What is missing or no valid value stays as the style sheet derives it. */
export function cssVariables(config: Config): Record<string, string> {
  const color = (value?: string) => CSS.supports('color', value ?? '') && value;
  const wanted = {
    '--primary': color(config.primaryColor),
    '--on-primary': color(config.headerTextColor),
    '--subtitle': color(config.subtitleTextColor),
    '--accent': color(config.accentColor),
    '--own': color(config.outboundMessageColor),
    '--on-own': color(config.outboundMessageTextColor),
    '--theirs': color(config.inboundMessageColor),
    '--on-theirs': color(config.inboundMessageTextColor),
    '--bg': color(config.backgroundColor),
    '--dot': color(config.unreadMessageDotColor),
    '--width': size(config.width, 280),
    '--height': size(config.height, 320),
    '--font': config.useCustomFont !== false && config.customFont && `${JSON.stringify(config.customFont)},system-ui`,
  };
  return Object.fromEntries(Object.entries(wanted).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
