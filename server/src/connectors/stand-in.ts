/**
 * What answers in a provider's place for channels made with test keys. One of a workspace lives in the process that uses
 * it and keeps nothing: what a channel needs of it is made anew from the channel itself.
 */
import type { Content, MediaKind } from '../model/content.ts';
import { PatchbayError } from '../model/errors.ts';
import type { ChannelView } from './channel.ts';
import type { HttpClient, ProviderConfig } from './context.ts';
import type { ProviderTemplate } from './operations.ts';

/** Declared with the provider; loaded when the first such channel is used. */
export interface StandInDeclaration {
  /** What its channels read in place of the installation's settings; made when first asked for where it takes a moment. */
  settings: Record<string, string | (() => string)>;
  /** The origins of the addresses in them: calls there are the stand-in's to answer. */
  origins: string[];
  load(): Promise<(parts: StandInParts) => StandIn>;
}

export interface StandInParts {
  /** With the settings of the declaration. */
  config: ProviderConfig;
  /** Brings a webhook in, by the path and query of its address. */
  deliver(path: string, headers: Record<string, string>, body: string): Promise<{ status: number; body: string }>;
}

export interface StandIn {
  /** Answers what is called at its origins. */
  http: HttpClient;
  /** Makes what a connect names exist; any token will do that does not say itself that it is invalid. */
  prepare(source: string, input: Record<string, unknown>): void;
  /** Makes what a connected channel needs exist, as it was before this process began. */
  adopt(source: string, channel: ChannelView, templates: ProviderTemplate[]): void;
  /** Somebody writes to the channel; resolves with the provider's id once that has come in. Throws `not-supported`. */
  customerWrites(source: string, channel: ChannelView, message: CustomerMessage): Promise<string>;
  close(): Promise<void>;
}

/** What a simulated customer writes. */
export interface CustomerMessage {
  /** A phone number, or any id where the source has none. */
  from: string;
  name?: string;
  content: Content;
  /** The bytes of the content's file, where it has one. */
  file?: { data: Buffer; mimeType: string };
}

/** Tokens that a stand-in refuses, for those who want to see what happens then. */
export function isRefused(token: string): boolean {
  return /invalid|expired|wrong|bad/i.test(token);
}

/** The words of a message that has no more than words. Throws `not-supported`. */
export function wordsOf({ content }: CustomerMessage): string {
  if (content.type === 'text') return content.text;
  if (content.type === 'reply') return content.title;
  throw cannotWrite(content);
}

export function cannotWrite(content: Content): PatchbayError {
  return new PatchbayError('not-supported', `the simulated customer cannot write ${content.type} messages here`);
}

export function isFile(type: Content['type']): type is MediaKind {
  return type === 'image' || type === 'video' || type === 'audio' || type === 'file' || type === 'sticker';
}

/** The bytes of the message's file. Throws `invalid` when there are none. */
export function bytesOf({ file }: CustomerMessage): Buffer {
  if (!file)
    throw new PatchbayError('invalid', 'the file is missing', { problems: [{ field: 'message', message: 'needs a stored file' }] });
  return file.data;
}

/** A field that may be missing, as text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
