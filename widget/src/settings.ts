import { fill, pickLanguage } from './languages/index.ts';
import type { Texts } from './languages/texts.ts';

/** What a channel's owner can change; Airy's keys and ours. All optional. */
export interface Config {
  welcomeMessage?: string;
  headerText?: string;
  subtitleText?: string;
  headerTextColor?: string;
  subtitleTextColor?: string;
  startNewConversationText?: string;
  primaryColor?: string;
  accentColor?: string;
  backgroundColor?: string;
  inboundMessageColor?: string;
  inboundMessageTextColor?: string;
  outboundMessageColor?: string;
  outboundMessageTextColor?: string;
  unreadMessageDotColor?: string;
  bubbleIcon?: string;
  sendMessageIcon?: string;
  height?: number | string;
  width?: number | string;
  /** Draws the widget open with a sample and without a server: for previews. */
  showMode?: boolean;
  disableMobile?: boolean;
  bubbleState?: 'expanded' | 'minimized';
  closeMode?: 'basic' | 'medium' | 'full';
  hideInputBar?: boolean;
  hideEmojis?: boolean;
  useCustomFont?: boolean;
  customFont?: string;
  hideAttachments?: boolean;
  hideImages?: boolean;
  hideVideos?: boolean;
  hideFiles?: boolean;
  position?: 'left' | 'right';
  theme?: 'auto' | 'light' | 'dark';
  language?: string;
  texts?: Partial<Texts>;
  allowedFileTypes?: string[];
  maxFileSize?: number;
}

export interface ChannelInfo {
  id: string;
  name?: string | null;
  image_url?: string | null;
}

/** Where the page says which channel to talk to: the script tag's data attributes, else Airy's `window.airy`. */
export interface Embed {
  host: string;
  channelId: string;
  resumeToken?: string;
  config: Config;
}

declare global {
  interface Window {
    airy?: { channelId?: string; host?: string; config?: Config; resumeToken?: string };
  }
}

/** Reads the page's embedding. Undefined when no channel is named. Takes a `resume_token` out of the page's address. */
export function readEmbed(script: HTMLScriptElement | null): Embed | undefined {
  const data = script?.dataset ?? {};
  const airy = window.airy ?? {};
  const channelId = data.channelId ?? airy.channelId;
  const host = data.host ?? airy.host ?? (script?.src ? new URL(script.src).origin : location.origin);
  if (!channelId) return undefined;
  const page = new URL(location.href);
  const fromLink = page.searchParams.get('resume_token') ?? undefined;
  if (fromLink) {
    page.searchParams.delete('resume_token');
    history.replaceState(history.state, '', page);
  }
  const config: Config = { ...airy.config };
  if (data.language) config.language = data.language;
  if (data.theme) config.theme = data.theme as Config['theme'];
  if (data.position) config.position = data.position as Config['position'];
  return {
    host: (/^https?:/.test(host) ? host : `${location.protocol}//${host}`).replace(/\/+$/, ''),
    channelId,
    resumeToken: fromLink ?? airy.resumeToken,
    config,
  };
}

/** Everything the drawing needs: the configuration with its texts chosen and overridden. */
export interface Settings {
  config: Config;
  channel: ChannelInfo;
  language: string;
  texts: Texts;
}

export function makeSettings(channel: ChannelInfo, config: Config): Settings {
  const wanted = config.language && config.language !== 'auto' ? [config.language] : navigator.languages;
  const { language, texts } = pickLanguage(wanted);
  const own: Partial<Texts> = {
    header: config.headerText,
    subtitle: config.subtitleText,
    welcome: config.welcomeMessage,
    again: config.startNewConversationText,
    ...config.texts,
  };
  // An empty welcome or subtitle means none; any other empty text means the language's own.
  const chosen = Object.entries(own).filter(([key, text]) => text || (text === '' && (key === 'welcome' || key === 'subtitle')));
  return { config, channel, language, texts: { ...texts, ...Object.fromEntries(chosen) } };
}

/** Why a file cannot be sent, or undefined when it can. `allowedFileTypes` holds `image/*`, `application/pdf`, `.csv`. */
export function refusal(file: File, { config, texts, language }: Settings): string | undefined {
  const limit = config.maxFileSize ?? 0;
  if (limit && file.size > limit) return fill(texts.tooLarge, { name: file.name, size: formatSize(limit, language) });
  const kind = kindOf(file.type);
  const hidden = config.hideAttachments || (kind === 'image' ? config.hideImages : kind === 'video' ? config.hideVideos : config.hideFiles);
  const fits = (type: string) =>
    type.startsWith('.')
      ? file.name.toLowerCase().endsWith(type.toLowerCase())
      : new RegExp(`^${type.replace('*', '.*')}$`).test(file.type);
  const types = config.allowedFileTypes;
  return hidden || (types?.length && !types.some(fits)) ? fill(texts.wrongType, { name: file.name }) : undefined;
}

export type FileKind = 'image' | 'video' | 'audio' | 'file';

export function kindOf(mimeType: string): FileKind {
  const main = mimeType.split('/')[0];
  return main === 'image' || main === 'video' || main === 'audio' ? main : 'file';
}

export function formatSize(bytes: number, language: string): string {
  const mega = bytes >= 1e6;
  return (
    new Intl.NumberFormat(language, { maximumFractionDigits: mega ? 1 : 0 }).format(bytes / (mega ? 1e6 : 1e3)) + (mega ? ' MB' : ' kB')
  );
}
