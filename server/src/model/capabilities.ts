import type { ContentType, MediaKind } from './content.ts';

export interface MediaLimit {
  /** Bytes. */
  maxBytes: number;
  /** Accepted content types; `*` accepts any, `image/*` any of a kind. */
  types: string[];
  /** Longest caption in characters; 0 means none is carried. */
  caption?: number;
}

/** What a channel of a source can carry. Absent means it cannot. Lengths are characters unless `unit` says bytes. */
export interface Capabilities {
  text?: { max: number; unit?: 'characters' | 'bytes' };
  media?: Partial<Record<MediaKind, MediaLimit>>;
  location?: boolean;
  contacts?: boolean;
  choices?: { max: number; title: number; text: number; header?: number; footer?: number };
  list?: { rows: number; sections: number; title: number; description: number; button: number; text: number };
  cards?: { max: number; title: number; text: number; actions: number };
  /** Provider-approved templates. */
  templates?: boolean;
  email?: boolean;
  reactions?: { in: boolean; out: boolean };
  receipts?: { delivered: boolean; read: boolean };
  typing?: { in: boolean; out: boolean };
  /** A message can point at the one it answers. */
  replies?: boolean;
  edits?: boolean;
  revokes?: boolean;
  /** May we write first to somebody who never wrote? */
  startsConversations: boolean;
  /** How long free messages are allowed after the contact's last one; null: always. */
  window: WindowRule | null;
  /**
   * The nodes of the workspace surface's capability tree, as dotted paths: `messaging`, `messaging.outgoing`,
   * `messaging.outgoing.mms`, `messaging.outgoing.media.textFallback`, `messaging.incoming`, `messaging.incoming.mms`,
   * `voice`, `voice.recording`.
   */
  nodes: string[];
}

/** Hours of free writing after the last inbound message, and the longer window for people where there is one. */
export interface WindowRule {
  hours: number;
  /** The provider's tag for the longer one (`HUMAN_AGENT`) and its hours. */
  extended?: { tag: string; hours: number };
}

/** True when the content's type is one that these capabilities can carry at all; lengths are checked by `violations`. */
export function carries(capabilities: Capabilities, type: ContentType): boolean {
  switch (type) {
    case 'text':
      return capabilities.text !== undefined;
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker':
      return capabilities.media?.[type] !== undefined;
    case 'location':
      return capabilities.location === true;
    case 'contacts':
      return capabilities.contacts === true;
    case 'choices':
      return capabilities.choices !== undefined;
    case 'list':
      return capabilities.list !== undefined;
    case 'cards':
      return capabilities.cards !== undefined;
    case 'template':
      return capabilities.templates === true;
    case 'email':
      return capabilities.email === true;
    case 'native':
      return true;
    case 'reply':
    case 'order':
    case 'system':
    case 'unsupported':
      return false;
  }
}
